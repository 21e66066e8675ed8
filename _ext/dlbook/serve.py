"""Serve the built book on this machine, with its text compressed as hosts of static pages do."""

import argparse
import asyncio
import contextlib
import threading

import tornado.httpserver
import tornado.netutil
import tornado.web

from .measured import ROOT

HTML = ROOT / "_build" / "html"


def application(compress=True):
    """Make the web application.

    Parameters
    ----------
    compress : bool, default True
        Whether text is sent with gzip to browsers that take it.

    Returns
    -------
    tornado.web.Application
    """
    files = (r"/(.*)", tornado.web.StaticFileHandler, {"path": HTML, "default_filename": "index.html"})
    return tornado.web.Application([files], compress_response=compress, log_function=lambda request: None)


class Server(threading.Thread):
    """The book on a free port of 127.0.0.1, until the program ends.

    Parameters
    ----------
    compress : bool, default True

    Attributes
    ----------
    address : str
        ``http://127.0.0.1:...``
    """

    def __init__(self, compress=True):
        super().__init__(daemon=True)
        self.compress, self.address, self.ready = compress, None, threading.Event()
        self.start()
        self.ready.wait()

    def run(self):
        """Run the server's loop."""
        asyncio.run(self.serve())

    async def serve(self):
        """Listen, and say where."""
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        tornado.httpserver.HTTPServer(application(self.compress)).add_sockets(sockets)
        self.address = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        self.ready.set()
        await asyncio.Event().wait()


async def serve_forever(port):
    """Serve until interrupted."""
    application().listen(port, "127.0.0.1")
    print(f"The book is at http://127.0.0.1:{port} (Ctrl+C ends the server)", flush=True)
    await asyncio.Event().wait()


def main():
    """Run the server from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int, nargs="?", default=8000)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve_forever(parser.parse_args().port))


if __name__ == "__main__":
    main()
