"""A trainer's loading, as a process to be killed: prints the ids of all processes below it, then loads for ever."""

import sys

import psutil

from trainer.config import LoadingConfig, PicturesData
from trainer.data.loader import BatchLoader
from trainer.data.opening import open_data
from trainer.data.order import BatchOrder


def main(path: str) -> None:
    train, _ = open_data(PicturesData(path=path, size_px=16), seed=0)
    with BatchLoader(train, BatchOrder(len(train), 4, 0), LoadingConfig(num_workers=1)) as loader:
        loader.start(range(10**9))
        loader.next()
        print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)
        while True:
            loader.next()


if __name__ == "__main__":
    main(sys.argv[1])
