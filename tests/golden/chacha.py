"""The random numbers of `crates/explain/src/random.rs`, so that other libraries can be given the same draws."""

import numpy as np

PURPOSES = {"metrics": 8}
MASK = 0xFFFFFFFF


class Random:
    """The numbers of one thing of one purpose: ChaCha with 8 rounds, the seed as key and purpose and index as stream."""

    def __init__(self, seed, purpose, index):
        key = [seed & MASK, seed >> 32] + [0] * 6
        self.start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574] + key
        self.stream = [index, PURPOSES[purpose]]
        self.block, self.words = 0, []

    def word(self):
        if not self.words:
            state = self.start + [self.block & MASK, self.block >> 32] + self.stream
            self.words = mixed(state)
            self.block += 1
        return self.words.pop(0)

    def uniform(self):
        return np.float32(self.word() >> 8) / np.float32(16777216)

    def normal(self):
        radius, angle = 1.0 - float(self.uniform()), float(self.uniform())
        return np.float32(np.sqrt(-2.0 * np.log(radius)) * np.cos(2 * np.pi * angle))

    def permutation(self, count):
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            other = (self.word() * (last + 1)) >> 32
            order[last], order[other] = order[other], order[last]
        return order


def mixed(state):
    work = list(state)

    def quarter(a, b, c, d):
        for left, right, out, turn in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)]:
            work[left] = (work[left] + work[right]) & MASK
            value = work[out] ^ work[left]
            work[out] = ((value << turn) | (value >> (32 - turn))) & MASK

    for _ in range(4):
        for columns in [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]:
            quarter(*columns)
        for diagonals in [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]:
            quarter(*diagonals)
    return [(a + b) & MASK for a, b in zip(work, state)]


if mixed([0x61707865, 0x3320646E, 0x79622D32, 0x6B206574] + [0] * 12)[0] != 0x2FEF003E:
    raise ValueError("this is not ChaCha with 8 rounds")
