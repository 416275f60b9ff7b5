"""Accept connections and hand them to workers: the part that is cheroot's, and the only one that knows of it.

cheroot gives the concurrency: a pool of workers with its queue, a selector that workers may add to, and
`accept` as the various systems want it. What it would do with the bytes is done in `sandbox.server.channel`
instead, and so are its clock (which freezegun stops), its stop (which takes half a second) and its limits.

Names of cheroot that are private or undocumented, all of them used in this module:

- `ConnectionManager._selector` (with `register`, `unregister`, `select`, `connections`, `close`) and
  `ConnectionManager._from_server_socket`;
- `HTTPServer._connections`, which `HTTPServer.put_conn` parks connections in;
- `threadpool._SHUTDOWNREQUEST`, which sends a worker home.
"""

import contextlib
import selectors
import socket
import sys
import threading
from typing import Any

from cheroot.connections import ConnectionManager
from cheroot.server import HTTPServer
from cheroot.workers import threadpool

from sandbox.foundation.real_time import monotonic
from sandbox.server.channel import Channel, Then
from sandbox.server.service import Service

# How late a deadline may be noticed, in seconds.
_SWEEP_S = 0.5
# Connections above the limit that are still told so. Beyond them, one is closed without a word.
_TURNED_AWAY_AT_ONCE = 128
# Connections accepted before those that are there are served again.
_ACCEPTED_AT_ONCE = 64
# How long the accept loop rests when the system refuses it something.
_BREATHER_S = 0.05
# How often it says so at most.
_COMPLAINT_S = 60.0
# What `stop` grants a request in flight to end by itself, and then the application to notice that its client
# was cut off. The second is only for an application that waits for something else: such a worker is left
# behind.
_GRACE_S = 0.02
_STUCK_S = 1.0
# While `select` waits, these notice what is registered by another thread. Others must be woken.
_SELECTORS_THAT_NOTICE = {"EpollSelector", "KqueueSelector"}
_GO_HOME: object = threadpool._SHUTDOWNREQUEST  # type: ignore[attr-defined] # noqa: SLF001


class Waker:
    """Ends the wait of a selector from another thread."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor that the selector watches."""
        return self._reader.fileno()

    def wake(self) -> None:
        """Let the selector return now, or at once when it next waits."""
        with contextlib.suppress(OSError):  # full: it is awake already; closed: nobody waits any more
            self._writer.send(b"\0")

    def drain(self) -> None:
        """Make it possible to wait again."""
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(4096)

    def close(self) -> None:
        """Give both ends back."""
        self._reader.close()
        self._writer.close()


class Parking(ConnectionManager):
    """The selector: it accepts connections and watches those that wait for their client."""

    def __init__(self, server: "Listener", service: Service) -> None:
        super().__init__(server)
        self._service = service
        self._watched: Any = self._selector  # type: ignore[attr-defined]
        self._closing = threading.Event()
        self._next_complaint = 0.0
        self._waker = Waker()
        self._must_wake = selectors.DefaultSelector.__name__ not in _SELECTORS_THAT_NOTICE
        limits = service.limits
        self._sweep_s = min(_SWEEP_S, limits.head_timeout_s / 4, limits.keep_alive_s / 4)
        self._watched.register(self._waker.fileno(), selectors.EVENT_READ, self._waker)

    def put(self, channel: Channel) -> None:
        """Watch `channel` until its client sends something or its deadline passes. For any thread."""
        if channel.has_unseen:
            self.server.process_conn(channel)
            return
        try:
            self._watched.register(channel.fileno(), selectors.EVENT_READ, channel)
        except (OSError, ValueError, KeyError):  # closed by `stop` in the meantime, or the selector is
            channel.close()
        else:
            if self._must_wake:
                self._waker.wake()

    def run(self, expiration_interval: float) -> None:
        """Accept and watch until `stop` is called."""
        next_sweep = monotonic() + expiration_interval
        while not self._closing.is_set():
            self._wait_once(expiration_interval)
            if (now := monotonic()) >= next_sweep:
                self._sweep(now)
                next_sweep = now + expiration_interval

    def run_until_stopped(self) -> None:
        """Be the accepting thread."""
        self.run(self._sweep_s)

    def stop(self) -> None:
        """Let `run` return."""
        self._closing.set()
        self._waker.wake()

    def close(self) -> None:
        """Give the selector back, once nobody waits in it."""
        self._watched.close()
        self._waker.close()

    def _wait_once(self, timeout: float) -> None:
        try:
            for descriptor, item in self._watched.select(timeout):
                self._attend(descriptor, item)
        except Exception as error:  # noqa: BLE001 - the server lives as long as this loop does
            self._service.failed(error)
            self._closing.wait(_BREATHER_S)  # do not spin

    def _attend(self, descriptor: int, item: object) -> None:
        if item is self.server:
            self._accept()
        elif isinstance(item, Channel):
            then = item.serve_at_once()
            if then is Then.WATCH:
                return
            self._watched.unregister(descriptor)
            if then is Then.WORK:
                self.server.process_conn(item)
            else:
                item.close()
        else:
            self._waker.drain()

    def _accept(self) -> None:
        """Accept whoever waits. One at a time, the last of a crowd would wait until all the others are served."""
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                channel = self._from_server_socket(self.server.socket)  # type: ignore[attr-defined]
            except OSError as error:
                self._starve(error)
                return
            if channel is None:
                return
            self._welcome(channel)

    def _welcome(self, channel: Channel) -> None:
        excess = len(self._service.channels) - self._service.limits.connections
        if excess > _TURNED_AWAY_AT_ONCE:
            channel.close()
            return
        if excess > 0:
            channel.turn_away()
        # Parked at first, because it may stay silent, and must not hold a worker then.
        self.put(channel)

    def _starve(self, error: OSError) -> None:
        """No descriptor is left, most likely. New clients wait with the system; those that are here are served."""
        if (now := monotonic()) >= self._next_complaint:
            self._next_complaint = now + _COMPLAINT_S
            self._service.failed(OSError(error.errno, f"{error.strerror}: new connections have to wait"))
        self._closing.wait(_BREATHER_S)  # the listening socket stays ready: do not spin

    def _sweep(self, now: float) -> None:
        for descriptor, item in list(self._watched.connections):
            if isinstance(item, Channel) and item.deadline <= now:
                self._watched.unregister(descriptor)
                item.is_overdue = True
                self.server.process_conn(item)


class Crew(threadpool.ThreadPool):
    """The workers. Daemons: a server that nobody has stopped must not keep the process from ending."""

    def start(self) -> None:
        """Start them all."""
        self._lock = threading.Lock()
        self._is_going_home = False
        self._crew: list[threading.Thread] = []
        for _ in range(self.min):
            self._hire()

    def _hire(self) -> None:
        worker: threading.Thread = threadpool.WorkerThread(self.server)  # type: ignore[no-untyped-call]
        worker.name = f"http-worker-{len(self._crew) + 1}"
        worker.daemon = True
        worker.start()
        self._crew.append(worker)

    def stand_in(self) -> bool:
        """Start one more, in place of one that waits for its client; return whether that could be done.

        There are never more of them than clients that dawdle, whose number is limited.
        """
        with self._lock:
            if self._is_going_home:
                return False
            self._crew = [worker for worker in self._crew if worker.is_alive()]
            try:
                self._hire()
            except RuntimeError:  # the system gives no more threads
                return False
            return True

    def stand_down(self) -> None:
        """Let whichever is free next end: who was stood in for is back."""
        self.put(_GO_HOME)

    def send_home(self) -> None:
        """Let each end after what it is doing."""
        with self._lock:
            self._is_going_home = True
            for _ in self._crew:
                self.put(_GO_HOME)

    def join(self, seconds: float) -> int:
        """Wait for them to end; return how many have not."""
        deadline = monotonic() + seconds
        others = [worker for worker in self._crew if worker is not threading.current_thread()]
        for worker in others:
            worker.join(max(0, deadline - monotonic()))
        return sum(worker.is_alive() for worker in others)


class Listener(HTTPServer):
    """A listening socket, the thread that accepts from it and the workers behind."""

    def __init__(self, sock: socket.socket, service: Service, threads: int) -> None:
        super().__init__(sock.getsockname()[:2], gateway=None, minthreads=threads)
        self._service = service
        self.socket = sock
        self.ConnectionClass = lambda _server, accepted, _makefile: Channel(service, accepted)
        self.requests = Crew(self, min=threads)
        self._connections = Parking(self, service)
        accept = self._connections.run_until_stopped
        self._thread = threading.Thread(target=accept, name="http-accept", daemon=True)

    def clear_stats(self) -> None:
        """Keep no statistics: the base class would keep every server alive in a global table of them."""
        self.stats = {"Enabled": False, "Worker Threads": {}}

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """Report what a worker could not deal with."""
        self._service.failed(sys.exc_info()[1] or RuntimeError(msg))

    def start(self) -> None:
        """Start accepting, and return."""
        self._service.waiting = lambda: self.requests.qsize
        self._service.stand_in = self.requests.stand_in
        self._service.stand_down = self.requests.stand_down
        self.requests.start()
        self.ready = True
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting, give the requests in flight a moment to end, cut what is left, close everything."""
        service = self._service
        self.ready = False
        service.is_stopping = True
        self._connections.stop()
        if self._thread is not threading.current_thread():
            self._thread.join()
        self.socket.close()
        self.requests.send_home()
        if self.requests.join(_GRACE_S):
            for channel in list(service.channels):
                channel.cut()
            if service.on_cut is not None:
                service.on_cut()
            if stuck := self.requests.join(_STUCK_S):
                service.failed(RuntimeError(f"At the stop, {stuck} requests did not return from the application."))
        for channel in list(service.channels):
            channel.close()
        self._connections.close()
