"""Where Pulumi starts: the program is the package `stacks`, run from the project folder so that all of it imports."""

import runpy

runpy.run_module("stacks", run_name="__main__", alter_sys=True)
