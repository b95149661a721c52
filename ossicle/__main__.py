"""`python -m ossicle`: the same as the `ossicle` command."""

from ossicle.runtime.cli import main

raise SystemExit(main())
