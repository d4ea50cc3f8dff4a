"""Prints how many milliseconds ONNX Runtime takes to load a model, for the first forward pass and for later ones: MODEL THREADS.

Like tests/benches/loading.rs, which runs it: from the file to the session, one image of the same values, the fastest of three.
"""

import sys
import time

import numpy as np
import onnxruntime as ort

RUNS = 3


def main():
    path, threads = sys.argv[1:]
    options = ort.SessionOptions()
    options.intra_op_num_threads = int(threads)
    session, load = timed(lambda: ort.InferenceSession(path, options, providers=["CPUExecutionProvider"]))
    info = session.get_inputs()[0]
    shape = [length if isinstance(length, int) else 1 for length in info.shape]
    image = (np.arange(np.prod(shape)) % 255 / 255).astype(np.float32).reshape(shape)
    times = [timed(lambda: session.run(None, {info.name: image}))[1] for _ in range(2 + RUNS)]
    print(load, times[0], min(times[2:]))


def timed(work):
    started = time.perf_counter()
    result = work()
    return result, 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    main()
