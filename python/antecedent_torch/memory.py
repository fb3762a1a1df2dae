"""Memory of the computation: of the GPUs where there are any in use, else this process's own."""
import re
import threading
import time

import torch

# Allocations of a step that matters last longer than this.
SAMPLE_SECONDS = 0.05


class PeakMemory:
    def __init__(self):
        self.most = 0
        threading.Thread(target=self._watch, daemon=True).start()

    def take(self):
        """Largest value since the last call, in bytes: what PyTorch held on the GPUs, or resident anonymous memory."""
        if _on_gpu():
            devices = range(torch.cuda.device_count())
            peak = sum(torch.cuda.max_memory_allocated(i) for i in devices)
            for i in devices:
                torch.cuda.reset_peak_memory_stats(i)
            return peak
        peak = max(self.most, _anonymous())
        self.most = 0
        return peak

    def free(self):
        """Bytes free on the fullest GPU in use; None without one."""
        if not _on_gpu():
            return None
        return min(torch.cuda.mem_get_info(i)[0] for i in range(torch.cuda.device_count()))

    def _watch(self):
        while True:
            self.most = max(self.most, _anonymous())
            time.sleep(SAMPLE_SECONDS)


def _on_gpu():
    return torch.cuda.is_available() and any(torch.cuda.memory_allocated(i) for i in range(torch.cuda.device_count()))


def _anonymous():
    """RssAnon of Linux; elsewhere the largest resident set so far, which is larger."""
    try:
        with open("/proc/self/status") as status:
            return int(re.search(r"^RssAnon:\s+(\d+) kB$", status.read(), re.MULTILINE)[1]) * 1024
    except (OSError, TypeError):
        import resource
        import sys

        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return used if sys.platform == "darwin" else used * 1024
