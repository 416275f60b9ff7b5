"""HTTP/1.1 messages without I/O: how a request is read, and how an answer is written."""
