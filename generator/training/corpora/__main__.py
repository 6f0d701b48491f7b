"""Build a corpus: ``python -m generator.training.corpora grid --data DIR --out DIR``."""

import argparse
from pathlib import Path

from generator.training.corpora import facegood, flite, grid, kokoro, video


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m generator.training.corpora", description=__doc__)
    commands = parser.add_subparsers(dest="corpus", required=True)
    builders = {"grid": grid, "facegood": facegood, "flite": flite, "kokoro": kokoro, "video": video}
    for name, builder in builders.items():
        command = commands.add_parser(name, description=builder.__doc__)
        command.add_argument(
            "--data", type=Path, required=True, help="folder of the recordings, or the synthesiser"
        )
        command.add_argument("--out", type=Path, required=True, help="new folder for the corpus")
        command.add_argument("--limit", type=int, help="clips of each speaker, for a quick look")
        command.set_defaults(build=builder.build)
    options = parser.parse_args()
    options.build(options.data, options.out, options.limit)


if __name__ == "__main__":
    main()
