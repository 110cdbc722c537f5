"""Start the host: the engine gives its address as the last argument and reads our port from our first line."""

import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import grpc

from tools.language_host.processes import Children, exit_with_parent
from tools.language_host.runtime import PythonRuntime
from tools.language_host.stubs import services

_LARGEST_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit
_WORKERS = 64  # each running plugin and policy pack keeps one


def main(arguments: list[str]) -> int:
    """Serve until the engine cancels, interrupts or is gone."""
    if not arguments or arguments[-1].startswith("-"):
        print("usage: pulumi-language-python [options] ENGINE_ADDRESS", file=sys.stderr)
        return 2
    children = Children()
    stopped = threading.Event()
    server = grpc.server(
        ThreadPoolExecutor(max_workers=_WORKERS),
        options=[
            ("grpc.max_receive_message_length", _LARGEST_MESSAGE_BYTES),
            ("grpc.max_send_message_length", _LARGEST_MESSAGE_BYTES),
            ("grpc.so_reuseport", 0),
        ],
    )
    runtime = PythonRuntime(arguments[-1], version("pulumi"), children, stopped.set)
    services.add_LanguageRuntimeServicer_to_server(runtime, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    exit_with_parent(children)
    print(port, flush=True)
    stopped.wait()
    children.stop_all()
    server.stop(grace=0.5).wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
