"""One client's connection, from its first byte to its last.

A channel is in one of two places. While it waits for the client, between requests or in the midst of a head,
a TLS handshake or a farewell, it is parked in the selector with a deadline and costs no thread. When the
client has sent something, a worker calls `communicate`, which goes as far as it can without waiting. Only the
application makes a worker wait: for the body that it reads, and for the client to take what it writes. When that
lasts, another worker takes its place until the request is over.

A request that the application answers at once, as its owner says, is spared the two thread switches: once it
has come whole, the selecting thread itself serves it by `serve_at_once`, and leaves to a worker what would wait.
"""

import contextlib
import socket
import ssl
from collections.abc import Callable
from enum import Enum, auto

from sandbox.foundation.real_time import monotonic
from sandbox.server.body import Body, ChunkedBody, SizedBody
from sandbox.server.head import Head, HeadError, glimpse, parse_head
from sandbox.server.limits import Phase, Refused, patience
from sandbox.server.reading import RECEIVE_BYTES, Reader
from sandbox.server.response import ClientGoneError, Response, ResponseError, plain_answer
from sandbox.server.service import Connection, Service
from sandbox.server.wire import Wire
from sandbox.web.environ import Environ, add_request

# How long a worker stays with a client that it has just answered. A client that sends its requests one after
# the other sends the next within that time, and saves the two thread switches by way of the selector.
_LINGER_S = 0.002
# How long a worker waits for the rest of a body before another takes its place.
_PATIENCE_S = 0.1
# What is thrown away so that a client that is still sending gets to read its answer instead of a reset.
_DISCARD_BYTES = 16 * 1024 * 1024
# How large a body may be for the selecting thread to collect it.
_AT_ONCE_BYTES = 65_536


class Then(Enum):
    """What is to be done with a channel that has been served at once."""

    WATCH = auto()
    WORK = auto()  # a worker goes on with it
    CLOSE = auto()


class Channel:
    """An accepted connection. It belongs to one thread at a time; only `cut` may be called by any other.

    `deadline` is when the wait for the client is over, should it be parked until then. `is_overdue` is set by
    whoever finds that so; the next `communicate` deals with it.
    """

    deadline: float
    is_overdue: bool

    # The accept loop sets these.
    remote_addr: str | None = None
    remote_port: int | None = None
    ssl_env: object = None

    def __init__(self, service: Service, sock: socket.socket) -> None:
        self._service = service
        self._wire = Wire(sock)
        self._reader = Reader(self._wire, service.limits, self._dawdles)
        self._raw_head: bytes | None = None
        self._head: Head | None = None
        self._may_wait = True
        self._has_stand_in = False
        self._unsent = b""
        self._conclusion: tuple[bool, int | None] = (False, 0)
        self._discarded = 0
        self._must_shake_hands = service.tls is not None
        self._enter(Phase.IDLE)
        service.channels.add(self)

    # -- for whoever parks it -------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Return the descriptor to be watched; -1 when there is none any more."""
        return self._wire.fileno()

    @property
    def has_unseen(self) -> bool:
        """Whether there is something to do that no selector will tell of."""
        return self._reader.has_unseen

    def turn_away(self) -> None:
        """There is no room for this client: say so as far as possible, and leave."""
        reason = f"The server has {self._service.limits.connections} connections already, as many as it may."
        self._service.refused(Refused(503, reason, self.remote_addr or ""))
        if not self._must_shake_hands:
            with contextlib.suppress(ConnectionError):
                self._wire.send(plain_answer(503, reason), 0)
        self.hang_up()

    def cut(self) -> None:
        """Make whoever waits for this client stop waiting."""
        self._wire.cut()

    def close(self) -> None:
        """Give the connection back to the system, unless it has been taken over."""
        self._wire.close()
        self._service.channels.discard(self)

    # -- for the application, by way of `Connection` --------------------------------------------------------

    def reset(self) -> None:
        """End with RST."""
        self._wire.reset()

    def hang_up(self) -> None:
        """End with FIN; the client's own end is awaited, since closing on unread bytes would be a reset."""
        self._wire.end_sending()
        self._enter(Phase.LEAVING)

    def release(self) -> socket.socket:
        """Hand the socket over and forget it."""
        return self._wire.release()

    # -- for a worker ---------------------------------------------------------------------------------------

    def communicate(self) -> bool:
        """Deal with what the client has sent; return True to be parked, False to be closed."""
        if self._service.is_stopping:
            return False
        try:
            if self.is_overdue and self._phase is not Phase.BODY:
                return self._give_up()
            is_waiting = self._proceed()
            # Looked at here as well, because who trickles is rarely found parked.
            return self._give_up() if is_waiting and monotonic() >= self.deadline else is_waiting
        except HeadError as error:
            return self._refuse(error)
        except OSError:
            return False  # the client is gone, or `stop` has cut the connection
        except Exception as error:  # noqa: BLE001 - a worker outlives whatever happens to one connection
            self._service.failed(error)
            return False
        finally:
            if self._has_stand_in:
                self._has_stand_in = False
                self._service.stand_down()

    def _dawdles(self) -> None:
        """Let another worker serve while this one waits for this client: clients that dawdle keep nobody waiting."""
        if not self._has_stand_in:
            self._has_stand_in = self._service.stand_in()

    def serve_at_once(self) -> Then:
        """Serve a request that has come whole and keeps nobody waiting. For the selecting thread."""
        if self._must_shake_hands or self._is_leaving or self._service.at_once is None:
            return Then.WORK
        self._may_wait = False
        try:
            then = self._serve_whole_request(self._service.at_once)
            # No selector sees what waits inside the TLS layer.
            return Then.WORK if then is Then.WATCH and self._wire.has_pending() else then
        except TimeoutError:
            return Then.WATCH
        except HeadError as error:
            return Then.WATCH if self._refuse(error) else Then.CLOSE
        except OSError:  # to the application, a client that goes away within the body is a failed read of it
            return Then.CLOSE if self._head is None else Then.WORK
        except Exception as error:  # noqa: BLE001 - the selecting thread serves everybody else as well
            self._service.failed(error)
            return Then.CLOSE
        finally:
            self._may_wait = True

    def _serve_whole_request(self, is_at_once: Callable[[str, str], bool]) -> Then:
        reader = self._reader
        if not reader.receive(0):
            return Then.WORK
        head = self._take_head()
        if head is None:
            if self._awaited() is not self._phase:
                self._enter(self._awaited())
            return Then.WATCH
        missing = head.content_length - len(reader.buffered)
        if (
            missing < 0  # who does not wait for answers may not read them either
            or head.chunked
            or head.expects_continue
            or head.content_length > _AT_ONCE_BYTES
            or not is_at_once(head.method, head.path)
        ):
            return Then.WORK
        if missing:
            if self._phase is not Phase.BODY:
                self._enter(Phase.BODY)
            return Then.WATCH
        if self._serve(head):
            return Then.WATCH
        if self._unsent:
            return Then.WORK
        return Then.WATCH if self._is_leaving and self._discard() else Then.CLOSE

    @property
    def _is_leaving(self) -> bool:
        return self._phase is Phase.LEAVING

    def _proceed(self) -> bool:
        if self._is_leaving:
            return self._discard()
        if self._unsent and not self._send_rest():
            return self._is_leaving and self._discard()
        if self._must_shake_hands and not self._shake_hands():
            return True
        return self._serve_requests()

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self.is_overdue = False
        self.deadline = monotonic() + patience(phase, self._service.limits)

    def _give_up(self) -> bool:
        if self._phase is Phase.HEAD:
            seconds = self._service.limits.head_timeout_s
            raise HeadError(408, f"The request head was not complete after {seconds:g} seconds.")
        return False

    def _shake_hands(self) -> bool:
        if self._phase is Phase.IDLE:
            assert self._service.tls is not None
            self._wire.secure(self._service.tls)
            self._enter(Phase.HANDSHAKE)
        try:
            if not self._wire.handshake():
                return False
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                self._wire.abandon_tls()
                raise HeadError(400, "This port speaks TLS: use https.") from error
            raise
        self._must_shake_hands = False
        self._enter(Phase.IDLE)
        return True

    def _serve_requests(self) -> bool:
        reader = self._reader
        timeout = 0.0
        while True:
            head = self._take_head()
            if head is None:
                try:
                    is_more = reader.receive(timeout)
                except TimeoutError:
                    return True
                if not is_more:
                    return self._end_of_stream()
                if self._awaited() is not self._phase:
                    self._enter(self._awaited())
                continue
            if not self._serve(head):
                return self._is_leaving and self._discard()
            if self._service.waiting():
                return True
            timeout = _LINGER_S

    def _take_head(self) -> Head | None:
        """Return the head of the next request, which may have been taken before; None until it is whole."""
        if self._head is None:
            self._raw_head = self._reader.take_head()
            if self._raw_head is not None:
                self._head = parse_head(self._raw_head, self._service.limits)
        return self._head

    def _awaited(self) -> Phase:
        if self._reader.is_skipping:
            return Phase.SKIPPING
        return Phase.HEAD if self._reader.buffered else Phase.IDLE

    def _end_of_stream(self) -> bool:
        if self._phase is Phase.HEAD:
            raise HeadError(400, "The connection ended in the middle of the request head.")
        return False

    def _refuse(self, error: HeadError) -> bool:
        """Answer a request that the application will not see; return what `communicate` returns."""
        raw = self._reader.buffered if self._raw_head is None else self._raw_head
        method, target, headers = glimpse(raw, self._service.limits)
        refused = Refused(error.status, error.reason, self.remote_addr or "", method, target, headers)
        self._service.refused(refused)
        try:
            self._wire.send(plain_answer(error.status, error.reason), 0)
            return self._leave()
        except OSError:
            return False

    def _leave(self) -> bool:
        self._wire.bid_farewell()
        self._enter(Phase.LEAVING)
        return self._discard()

    def _discard(self) -> bool:
        """Throw away what the client still sends; return whether to go on with it."""
        while self._discarded < _DISCARD_BYTES:
            try:
                size = self._wire.discard(RECEIVE_BYTES)
            except TimeoutError:
                return True
            if not size:
                break
            self._discarded += size
        return False

    # -- one request ----------------------------------------------------------------------------------------

    def _serve(self, head: Head) -> bool:
        """Let the application answer one request; return whether there may be another after it."""
        self._head = self._raw_head = None
        self._reader.patient_until = monotonic() + _PATIENCE_S
        body = self._body_of(head)
        connection = Connection(self, self._service.parking)
        response = Response(head, self._send, lambda: self._may_persist(body), body.withhold_greeting)
        environ = self._service.environ.copy()
        environ["REMOTE_ADDR"] = self.remote_addr or ""
        environ["REMOTE_PORT"] = str(self.remote_port or "")
        environ["wsgi.input"] = body
        environ["sandbox.connection"] = connection
        add_request(
            environ,
            method=head.method,
            target=head.target,
            path=head.path,
            query=head.query,
            protocol=head.protocol,
            headers=head.headers,
        )

        self._run_application(environ, response, connection)
        connection.expire()
        if connection.aborted:
            return False
        leftover = body.leftover()
        persists = response.persists and self._may_persist(body)
        body.expire()
        self._conclusion = persists, leftover
        return not self._unsent and self._conclude()

    def _conclude(self) -> bool:
        """The answer is on its way: be ready for the next request, or leave; return which."""
        persists, leftover = self._conclusion
        if persists:
            self._reader.skip(leftover or 0)
            self._enter(self._awaited())
            return True
        self._wire.bid_farewell()
        if leftover != 0 or self._reader.buffered:
            self._enter(Phase.LEAVING)
        return False

    def _send_rest(self) -> bool:
        """Send what could not be sent at once; return what `_conclude` returns."""
        rest, self._unsent = self._unsent, b""
        self._wire.send(rest, self._service.limits.body_timeout_s, self._dawdles)
        return self._conclude()

    def _run_application(self, environ: Environ, response: Response, connection: Connection) -> None:
        parts: object = None
        try:
            parts = answer = self._service.app(environ, response.start)
            if not connection.aborted:
                response.send_all(answer)
        except ClientGoneError:
            response.persists = False
        except BaseException as error:  # noqa: BLE001 - even SystemExit ends this request only
            # To fall short of a Content-Length is what taking the connection away in mid-answer is for.
            if not (connection.aborted and isinstance(error, ResponseError)):
                self._service.failed(error)
            with contextlib.suppress(ClientGoneError):
                response.fail()
        finally:
            self._close_answer(parts)

    def _close_answer(self, parts: object) -> None:
        close = getattr(parts, "close", None)
        if close is not None:
            try:
                close()
            except BaseException as error:  # noqa: BLE001 - as above
                self._service.failed(error)

    def _body_of(self, head: Head) -> Body:
        greet = self._greet if head.expects_continue else None
        timeout_s = self._service.limits.body_timeout_s
        if head.chunked:
            return ChunkedBody(self._reader, timeout_s, greet)
        deadline = self.deadline if self._phase is Phase.BODY else 0.0
        return SizedBody(self._reader, timeout_s, greet, head.content_length, deadline)

    def _may_persist(self, body: Body) -> bool:
        leftover = body.leftover()
        return leftover is not None and leftover <= _DISCARD_BYTES and not self._service.is_stopping

    def _greet(self) -> None:
        if not self._reader.buffered:
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _send(self, data: bytes) -> None:
        try:
            if self._may_wait:
                self._wire.send(data, self._service.limits.body_timeout_s, self._dawdles)
            elif self._unsent:
                self._unsent += data
            else:
                self._unsent = data[self._wire.send_some(data) :]
        except ConnectionError as error:
            raise ClientGoneError(str(error)) from error
