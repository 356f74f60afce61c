// sealed-cookie: seals and opens session cookies at the command line.
import SealedCookie

Tool.run(Array(CommandLine.arguments.dropFirst()))
