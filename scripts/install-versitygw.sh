#!/bin/sh
# Installs the tests' S3 server to Go's bin folder, which must be in the PATH. Needs Go 1.21 or later.
set -eu
go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
