#!/bin/sh
# Installs the S3 server of the tests where `go install` puts programs, which must be in the PATH. It takes Go 1.21 or later.
set -eu
go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
