"""Run the cells of notebooks in this process, with the libraries loaded, and print the seconds they took.

    python benchmarks/cells.py NOTEBOOK ...

The least that running these notebooks can cost: no kernels, no messages, no imports.
"""

import gc
import json
import sys
import time
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

from helpers.kernels.fork_server.preload import preload, prepare_fork


def main() -> None:
    """Run the notebooks named by the arguments, in order."""
    for _ in preload():
        pass
    prepare_fork()
    gc.set_threshold(700, 10, 10)  # a plain process, with Python's own settings
    shell = InteractiveShell.instance()
    total = 0.0
    for name in sys.argv[1:]:
        cells = json.loads(Path(name).read_text(encoding="utf-8"))["cells"]
        shell.reset(new_session=True)
        begin, worked = time.perf_counter(), time.process_time()
        for cell in cells:
            if cell["cell_type"] == "code":
                shell.run_cell("".join(cell["source"]), store_history=False).raise_error()
        total += time.perf_counter() - begin
        print(f"\nprocessor {Path(name).stem} {time.process_time() - worked:.3f}", file=sys.stderr)
    print(f"\n{total:.3f}", file=sys.stderr)


if __name__ == "__main__":
    main()
