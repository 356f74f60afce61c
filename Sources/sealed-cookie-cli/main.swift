// sealed-cookie: seals and opens session cookies at the command line.
import SealedCookie

Tool.run(StandardStreams.arguments)
