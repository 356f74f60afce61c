"""`python -m sealed_cookie`."""
import sys

from . import main

sys.exit(main())
