"""Native Symbolic from PyPI, for comparison.

native.py convert FILE ID OUT    converts a sym file, and prints time and memory as JSON
native.py serve SOURCE FOLDER N  serves /symbolicate/v5 with N processes, following the steps of Mozilla's Eliot:
                                 for each module of each request, reads the whole symcache, opens it, looks up
"""

import gzip
import io
import json
import os
import signal
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import symbolic


def convert(text, debug_id):
    archive = symbolic.Archive.from_bytes(text)
    symcache = archive.get_object(debug_id=symbolic.normalize_debug_id(debug_id)).make_symcache()
    output = io.BytesIO()
    symcache.dump_into(output)
    return symcache, output.getvalue()


def convert_file(path, debug_id, out):
    start = time.perf_counter()
    with open(path, "rb") as file:
        text = file.read()
    symcache = convert(text, debug_id)[1]
    with open(out, "wb") as file:
        file.write(symcache)
    milliseconds = (time.perf_counter() - start) * 1000
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(json.dumps({"milliseconds": milliseconds, "megabytes": peak * 1024 / 1e6, "symcache": len(symcache)}))


def load_symcache(source, folder, filename, debug_id):
    path = os.path.join(folder, f"{filename}-{debug_id}.symc")
    try:
        with open(path, "rb") as file:
            return symbolic.SymCache.from_bytes(file.read())
    except FileNotFoundError:
        pass
    request = urllib.request.Request(
        f"{source}/{filename}/{debug_id}/{filename}.sym", headers={"Accept-Encoding": "gzip"}
    )
    with urllib.request.urlopen(request) as response:
        text = response.read()
        if response.headers["Content-Encoding"] == "gzip":
            text = gzip.decompress(text)
    symcache, data = convert(text, debug_id)
    with open(f"{path}.{os.getpid()}", "wb") as file:
        file.write(data)
    os.rename(f"{path}.{os.getpid()}", path)
    return symcache


def describe(found):
    location = {"function": found.symbol}
    if found.full_path:
        location["file"] = found.full_path
        if found.line:
            location["line"] = found.line
    return location


def symbolicate_frame(symcache, index, module, offset):
    frame = {"frame": index, "module": module, "module_offset": hex(offset)}
    found = symcache.lookup(offset)
    if found:
        frame["function_offset"] = hex(offset - found[-1].sym_addr)
        frame |= describe(found[-1])
        if len(found) > 1:
            frame["inlines"] = [describe(inline) for inline in found[:-1]]
    return frame


def symbolicate(source, folder, job):
    modules = job["memoryMap"]
    symcaches = [load_symcache(source, folder, *module) for module in modules]
    stacks = [
        [
            symbolicate_frame(symcaches[module], index, modules[module][0], offset)
            for index, (module, offset) in enumerate(stack)
        ]
        for stack in job["stacks"]
    ]
    return {"results": [{"stacks": stacks, "found_modules": {"/".join(module): True for module in modules}}]}


def serve(source, folder, processes):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self):
            job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(symbolicate(source, folder, job)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    os.makedirs(folder, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    children = []
    for _ in range(processes - 1):
        child = os.fork()
        if child == 0:
            server.serve_forever()
        children.append(child)

    def end(*_):
        for child in children:
            os.kill(child, signal.SIGTERM)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    server.serve_forever()


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "convert":
        convert_file(*arguments)
    else:
        serve(arguments[0], arguments[1], int(arguments[2]))
