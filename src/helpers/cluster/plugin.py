"""What a worker of a Dask cluster does before its first step."""

from distributed.diagnostics.plugin import WorkerPlugin


class ImportForThreads(WorkerPlugin):
    """Has a worker import all that steps need in its main thread, before any of its threads gets a step.

    Dask sets plugins up on the workers that are there and on every one that joins later, in the thread of
    its event loop, and gives a worker no task before.

    Args:
        run: identifies the run; the scheduler may serve others, that come and go.
    """

    def __init__(self, run: str) -> None:
        self.name = f"compendium-{run}"

    def setup(self, worker: object) -> None:  # noqa: ARG002  # as Dask calls it
        """Import."""
        import helpers.cluster.worker  # noqa: F401
        from helpers.kernels.pool import import_for_threads

        import_for_threads()
