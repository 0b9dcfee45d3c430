"""Compare the results of commands under faults with those of undisturbed runs; see faults.sh."""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import torch

import echocardmae_mm
from echocardmae_mm.cli.main import main
from echocardmae_mm.reproduction import BUDGETS
from echocardmae_mm.reproduction.plan import Budget
from echocardmae_mm.utils.file_sha256 import file_sha256

ROOT = Path(__file__).parents[2]
EXAMPLE = Path(echocardmae_mm.__file__).parent / 'apis' / 'example'
OTHERS = 'faults'
LIMIT = 600  # seconds for one command, generous for a busy machine
BUSY = ('another process is', 'is in use')

PRETRAINING = f"""
_base_ = '{ROOT}/tests/engine/tiny_pretraining.py'
train_dataloader = dict(batch_size=2, num_workers=1, persistent_workers=True)
train_cfg = dict(max_epochs=5)
"""
EJECTION_FRACTION = f"""
_base_ = '{ROOT}/configs/ef_camus.py'
model = dict(
    backbone=dict(embed_dims=48, depth=1, num_heads=3, init_cfg=None),
    cls_head=dict(in_channels=48),
)
train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False)
val_dataloader = dict(num_workers=0, persistent_workers=False)
test_dataloader = dict(num_workers=0)
test_evaluator = dict(n_resamples=50)
train_cfg = dict(max_epochs=2)
"""
for name in ('train', 'test', 'pack', 'phantoms', 'cross_validate', 'predict', 'reproduce'):
    import_module(f'echocardmae_mm.cli.{name}')
BUDGETS['small'] = Budget(epochs=0.04, folds=2, phantoms=(90, 3, 3))

Digest = dict[str, str]


class Activity(NamedTuple):
    """A command that writes into the folder in which it runs.

    Args:
        command (str): Command and arguments.
        digest (Callable): Function that hashes the results in the folder, by name.
        kills (int): Number of the 50 kills.
        prepare (Callable): Function that fills the folder before the command starts.
        in_a_row (bool): Whether to kill the repeated command as well, because it takes long.
    """

    command: str
    digest: Callable[[Path], Digest]
    kills: int
    prepare: Callable[[Path], None]
    in_a_row: bool = False


class Undisturbed(NamedTuple):
    """An undisturbed run: its results, the time of its first file, its duration and its size."""

    digest: Digest
    first: float
    seconds: float
    size: int


# Running commands


def execute(command: str, folder: Path, log: Path) -> None:
    """Run a command of ``echocardmae`` in a folder, in a session of its own."""
    os.setsid()
    os.chdir(folder)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    main(command.split())


class Running:
    """A command that runs in a folder and writes its output to ``FOLDER.N.log``.

    It is forked from this process, which has imported everything, so that kills hit its work, not
    its imports.
    """

    def __init__(self, command: str, folder: Path) -> None:
        self.log = folder.with_name(f'{folder.name}.{time.monotonic_ns()}.log')
        self.started = time.monotonic()
        fork = multiprocessing.get_context('fork')
        self.process = fork.Process(target=execute, args=(command, folder, self.log))
        self.process.start()

    @property
    def is_alive(self) -> bool:
        return self.process.is_alive()

    def wait(self, seconds: float = LIMIT) -> int | None:
        """Return the exit status; None if the command still runs after the given time."""
        self.process.join(max(0.0, seconds))
        return self.process.exitcode

    def kill(self, is_alone: bool = False) -> None:
        """Kill the command alone, or with all processes that it started."""
        pid = self.process.pid or 0
        for victim in (pid, *([] if is_alone else descendants(pid))):
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        self.process.join()

    def message(self) -> str:
        """Return the error message if the command ended with a short one, otherwise ''."""
        lines = self.lines()
        starts = [index for index, line in enumerate(lines) if line.startswith('error: ')]
        if not starts or any(line.startswith('Traceback') for line in lines):
            return ''
        message = lines[starts[-1] :]
        return '\n'.join(message) if len(message) <= 3 else ''

    def is_locked_out(self) -> bool:
        """Whether a process that outlived a kill still holds the folder."""
        return any(sign in self.message() for sign in BUSY)

    def lines(self) -> list[str]:
        return self.log.read_text('utf-8', 'replace').strip().splitlines()

    def tail(self) -> str:
        return '\n'.join(self.lines()[-12:])


def descendants(pid: int) -> list[int]:
    """Find the running descendants of a process."""
    found = []
    try:
        for task in Path(f'/proc/{pid}/task').iterdir():
            for child in map(int, (task / 'children').read_text().split()):
                found += [child, *descendants(child)]
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def finish(activity: Activity, folder: Path) -> tuple[Running, int | None]:
    """Run the command to its end, after waiting for processes that outlived a kill."""
    for _ in range(120):
        running = Running(activity.command, folder)
        if (status := running.wait()) is None:
            running.kill()
        if not running.is_locked_out():
            break
        time.sleep(2)
    return running, status


# Results


def hash_files(*patterns: str) -> Callable[[Path], Digest]:
    """Return a function that hashes the files below a folder that match a pattern."""

    def digest(folder: Path) -> Digest:
        found = sorted(path for pattern in patterns for path in folder.glob(pattern))
        return {str(path.relative_to(folder)): file_sha256(path) for path in found}

    return digest


def hash_last_checkpoint(folder: Path) -> Digest:
    """Hash the tensors of the newest checkpoint: weights, buffers and state of the optimizer."""
    newest = max(folder.glob('run/*.pth'), key=os.path.getmtime, default=None)
    if newest is None:
        return {}
    checkpoint = torch.load(newest, map_location='cpu', weights_only=False)
    digest = hashlib.sha256()
    for tensor in tensors((checkpoint['state_dict'], checkpoint['optimizer'])):
        digest.update(tensor.contiguous().numpy().tobytes())
    return {newest.name: digest.hexdigest()}


def tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for key in value:
            yield from tensors(value[key])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors(item)


# The campaign


class Campaign:
    """All faults of one seed, on data in a scratch folder.

    Args:
        scratch (Path): The folder.
        seed (int): Seed of the moments of the kills.
    """

    def __init__(self, scratch: Path, seed: int) -> None:
        self.scratch = scratch
        self.seed = seed
        self.data = scratch / 'data'
        self.failed = 0
        self.activities = self._activities()
        self._undisturbed: dict[str, Undisturbed] = {}

    def _activities(self) -> dict[str, Activity]:
        train = 'train pretraining.py --work-dir run --resume --cfg-options data_root=videos'
        cross_validate = (
            'cross-validate ef.py --folds 2 --work-dir cv --cfg-options '
            f'data_root={self.data / "CAMUS"}'
        )
        predict = (
            'predict recordings --bundle bundles/ef bundles/seg --allow-synthetic-model '
            '--out out --salt fault'
        )
        phantoms = 'phantoms --out made --videos 5 --seed 7 --jobs 2 --datasets echonet'
        folds = hash_files('cv/*.csv', 'cv/*.json', 'cv/*.md', 'cv/fold_*/*.csv')
        pack = 'pack videos --out store --jobs 2'
        reproduce = 'reproduce figure2 --phantom --budget small'
        table, videos = hash_files('results/**/*.*'), self._videos
        return {
            'phantoms': Activity(phantoms, hash_files('made/**/*.*'), 9, videos),
            'packing': Activity(pack, hash_files('store/*'), 9, videos),
            'training': Activity(train, hash_last_checkpoint, 11, videos),
            'resuming': Activity(train, hash_last_checkpoint, 9, self._half_trained),
            'prediction': Activity(predict, hash_files('out/**/*.*'), 5, videos, True),
            'cross-validation': Activity(cross_validate, folds, 4, videos, True),
            'reproduction': Activity(reproduce, table, 3, videos, True),
            'training from a store': Activity(
                f'{train} packed=store', hash_last_checkpoint, 0, self._packed
            ),
        }

    def make_data(self) -> None:
        """Make phantoms, recordings to predict, bundles, a store and an interrupted run."""
        from echocardmae_mm.apis.example import write_example_recordings

        self.data.mkdir()
        configs(self.data)
        phantoms = 'phantoms --out . --videos 6 --camus 8 --jobs 2 --datasets echonet camus'
        run(phantoms, self.data)
        (self.data / 'EchoNet-Dynamic' / 'Videos').rename(self.data / 'videos')
        fork = multiprocessing.get_context('fork')  # OpenCV's threads must not start here
        process = fork.Process(target=write_example_recordings, args=(self.data / 'recordings',))
        process.start()
        process.join()
        for path in sorted((self.data / 'recordings').glob('*.avi'))[2:]:
            path.unlink()
        shutil.copytree(EXAMPLE, self.data / 'bundles')
        with self.folder(self.activities['packing']) as folder:
            run(self.activities['packing'].command, folder)
            (folder / 'store').rename(self.scratch / 'store')
        with self.folder(self.activities['training']) as half:
            running = Running(self.activities['training'].command, half)
            while not (half / 'run' / 'iter_6.pth').exists():
                if not running.is_alive:
                    sys.exit(f'training ended: {running.tail()}')
                time.sleep(0.05)
            running.process.terminate()
            running.wait()
            (half / 'run').rename(self.scratch / 'half')

    def _videos(self, folder: Path) -> None:
        for name in ('videos', 'recordings', 'bundles'):
            shutil.copytree(self.data / name, folder / name)
        configs(folder)

    def _half_trained(self, folder: Path) -> None:
        self._videos(folder)
        shutil.copytree(self.scratch / 'half', folder / 'run')

    def _packed(self, folder: Path) -> None:
        self._videos(folder)
        shutil.copytree(self.scratch / 'store', folder / 'store')

    def undisturbed(self, name: str) -> Undisturbed:
        """Run an activity once without a fault, and cache its results."""
        if name not in self._undisturbed:
            activity = self.activities[name]
            with self.folder(activity) as folder:
                before, before_size = newest(folder), size_of(folder)
                running = Running(activity.command, folder)
                first = 0.0
                while running.is_alive:
                    if not first and newest(folder) > before:
                        first = time.monotonic() - running.started
                    time.sleep(0.02)
                seconds = time.monotonic() - running.started
                if running.wait():
                    sys.exit(f'{name}, undisturbed: {running.tail()}')
                size = size_of(folder) - before_size
                result = Undisturbed(activity.digest(folder), first, seconds, size)
                self._undisturbed[name] = result
                print(f'{name}: {seconds:.0f} s, first file after {first:.0f} s, '
                      f'{len(result.digest)} results', file=sys.stderr)  # fmt: skip
        return self._undisturbed[name]

    @contextmanager
    def folder(self, activity: Activity) -> Iterator[Path]:
        folder = self.scratch / 'run'  # the same path each time, because stores name it
        folder.mkdir()
        activity.prepare(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def compare(self, name: str, folder: Path, running: Running, status: int | None) -> str:
        """Return 'equal', the command's own message, or a failure, which is also printed."""
        if status and (message := running.message()):
            return message.partition('\n')[0]
        found, expected = self.activities[name].digest(folder), self.undisturbed(name).digest
        if not status and found == expected:
            return 'equal'
        skipped = [line for line in running.lines() if ' skipped ' in line]
        if not status and skipped:
            return skipped[0][skipped[0].index('skipped ') :]
        self.failed += 1
        names = sorted(key for key in found | expected if found.get(key) != expected.get(key))
        print(f'{name}: status {status}, different: {names[:5]}\n{running.tail()}', file=sys.stderr)
        return f'FAILED (status {status}, {len(names)} different files)'

    # Kills

    def kills(self, name: str, wanted: int) -> tuple[int, Counter[str]]:
        """Kill an activity ``wanted`` times in total, and repeat it after each kill."""
        activity, usual = self.activities[name], self.undisturbed(name)
        outcomes: Counter[str] = Counter()
        generator = random.Random(f'{self.seed} {name}')
        killed = 0
        while killed < wanted:
            with self.folder(activity) as folder:
                here, status = 0, None
                while status is None and killed < wanted and (activity.in_a_row or not here):
                    moment = generator.uniform(0.9 * usual.first, 0.97 * usual.seconds)
                    is_alone = generator.random() < 0.5
                    running = Running(activity.command, folder)
                    status = running.wait(moment)
                    if status is None:
                        running.kill(is_alone)
                        killed += 1
                        here += 1
                    elif running.is_locked_out():
                        status = None
                        time.sleep(2)
                if status is None:
                    running, status = finish(activity, folder)
                outcome = self.compare(name, folder, running, status)
                outcomes[outcome] += here
                print(f'{name}: {killed} kills, {outcome}', file=sys.stderr)
        return killed, outcomes

    # Other faults

    def full_disk(self, name: str) -> str:
        """Run on a disk with half of the space that the results need, then with enough."""
        activity, usual = self.activities[name], self.undisturbed(name)
        folder = self.scratch / 'run'
        folder.mkdir()
        try:
            with disk(folder) as is_mounted:
                if not is_mounted:
                    return 'not tried: no permission to mount a disk'
                activity.prepare(folder)
                resize(folder, size_of(folder) + usual.size // 2)
                running = Running(activity.command, folder)
                status = running.wait()
                first = self.compare(name, folder, running, status)
                resize(folder, 1 << 30)
                running, status = finish(activity, folder)
                second = self.compare(name, folder, running, status)
        finally:
            folder.rmdir()
        return f'{first}; repeated with space: {second}'

    def twice(self, name: str) -> str:
        """Start the command again while it runs."""
        activity = self.activities[name]
        self.undisturbed(name)
        with self.folder(activity) as folder:
            before = newest(folder)
            running = Running(activity.command, folder)
            while newest(folder) <= before and running.is_alive:
                time.sleep(0.02)
            second = Running(activity.command, folder)
            second_status, status = second.wait(), running.wait()
            first = self.compare(name, folder, running, status)
            return f'first: {first}; second: {self.compare(name, folder, second, second_status)}'

    def flipped(self, name: str, pattern: str, command: str | None = None) -> str:
        """Flip a bit in the middle of the newest matching file, then run a command."""
        activity = self.activities[name]
        activity = activity._replace(command=command or activity.command)
        self.undisturbed(name)
        with self.folder(activity) as folder:
            flip(max(folder.glob(pattern), key=os.path.getmtime))
            running, status = finish(activity, folder)
            return self.compare(name, folder, running, status)

    def replaced(self, name: str, pattern: str, how: Callable[[Path], None]) -> str:
        """Change a file while a command runs; then restore it and repeat the command."""
        activity, usual = self.activities[name], self.undisturbed(name)
        with self.folder(activity) as folder:
            path = min(folder.glob(pattern))
            content = path.read_bytes()
            running = Running(activity.command, folder)
            time.sleep((usual.first + usual.seconds) / 2)
            how(path)
            status = running.wait()
            first = self.compare(name, folder, running, status)
            if first == 'equal' or 'skipped' in first:
                return first
            path.write_bytes(content)
            running, status = finish(activity, folder)
            return f'{first}; repeated: {self.compare(name, folder, running, status)}'


def blank(path: Path) -> None:
    """Overwrite the second half of a file with zeros, in place."""
    size = path.stat().st_size
    with path.open('r+b') as file:
        file.seek(size // 2)
        file.write(bytes(size - size // 2))


def exchange(path: Path) -> None:
    """Replace a file by another one."""
    other = path.with_name('other.tmp')
    other.write_bytes(path.read_bytes()[::-1])
    os.replace(other, path)


def configs(folder: Path) -> None:
    """Write the small configs."""
    (folder / 'pretraining.py').write_text(PRETRAINING)
    (folder / 'ef.py').write_text(EJECTION_FRACTION)


def run(command: str, folder: Path) -> None:
    """Run a command that must succeed."""
    running = Running(command, folder)
    if running.wait():
        sys.exit(f'{command}: {running.tail()}')


def newest(folder: Path) -> int:
    """Return the time of the latest change below a folder."""
    times = []
    for path in (folder, *folder.rglob('*')):
        try:
            times.append(path.stat().st_mtime_ns)
        except FileNotFoundError:
            continue
    return max(times)


def flip(path: Path) -> None:
    """Flip a bit in the middle of a file, and keep its modification time."""
    status = path.stat()
    with path.open('r+b') as file:
        file.seek(status.st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 4]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def size_of(folder: Path) -> int:
    """Return the total size of the files below a folder in bytes."""
    return sum(path.stat().st_size for path in folder.rglob('*') if path.is_file())


@contextmanager
def disk(folder: Path) -> Iterator[bool]:
    """Mount a disk in memory over a folder; yield False if that is not permitted."""
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=1g', 'tmpfs', str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(['umount', '-l', str(folder)], check=True)


def resize(folder: Path, size: int) -> None:
    """Change the size of a disk in memory."""
    subprocess.run(['mount', '-o', f'remount,size={size}', str(folder)], check=True)


def heading(seed: int, names: list[str]) -> str:
    """Format the command, seed, commit and date."""
    git = ['git', 'describe', '--always', '--dirty', '--exclude', '*']
    commit = subprocess.run(git, capture_output=True, text=True, cwd=ROOT).stdout.strip()
    return f'`tools/ci/faults.sh --seed {seed}{"".join(f" {n!r}" for n in names)}`, commit ' + (
        f'{commit}, {date.today():%-d %B %Y}.\n'
    )


def run_campaign() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'activities',
        nargs='*',
        help=f'activities to kill, or {OTHERS!r} for the other faults (default: everything)',
    )
    parser.add_argument('--seed', type=int, default=1, help='seed of the moments of the kills')
    parser.add_argument('--scale', type=float, default=1.0, help='share of the 50 kills')
    args = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix='faults'))
    try:
        failed = campaign(scratch, args)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    sys.exit(failed > 0)


def campaign(scratch: Path, args: argparse.Namespace) -> int:
    """Run everything, print the tables and return the number of failures."""
    tests = Campaign(scratch, args.seed)
    tests.make_data()
    print(heading(args.seed, args.activities))
    print('| killed | times | results equal | otherwise |', '|---|---:|---:|---|', sep='\n')
    total, equal = 0, 0
    for name, activity in tests.activities.items():
        if activity.kills and (not args.activities or name in args.activities):
            killed, outcomes = tests.kills(name, max(1, round(activity.kills * args.scale)))
            total, equal = total + killed, equal + outcomes['equal']
            others = '; '.join(f'{n} x {o}' for o, n in outcomes.items() if o != 'equal')
            print(f'| {name} | {killed} | {outcomes["equal"]} | {others} |', flush=True)
    print(f'| **together** | **{total}** | **{equal}** | |\n')
    if not args.activities or OTHERS in args.activities:
        print('| fault | command | outcome |', '|---|---|---|', sep='\n')
        for fault, name, outcome in other_faults(tests):
            outcome = outcome.replace(f'{scratch / "run"}/', '')
            print(f'| {fault} | {name} | {outcome} |', flush=True)
    return tests.failed


def other_faults(tests: Campaign) -> Iterator[tuple[str, str, str]]:
    """Yield each fault, its command and its outcome."""
    names = ('phantoms', 'packing', 'training', 'prediction', 'cross-validation')
    for name in names:
        yield 'full disk', name, tests.full_disk(name)
    for name in names:
        yield 'started twice in one folder', name, tests.twice(name)
    pack = tests.activities['packing'].command
    store = 'training from a store'
    yield 'bit flipped in a checkpoint', 'resuming', tests.flipped('resuming', 'run/*.pth')
    yield 'bit flipped in `frames.bin`', store, tests.flipped(store, 'store/frames.bin')
    yield 'bit flipped in `frames.bin`', 'packing', tests.flipped(store, 'store/frames.bin', pack)
    yield 'bit flipped in `index.json`', store, tests.flipped(store, 'store/index.json')
    yield (
        'bit flipped in a bundle',
        'prediction',
        tests.flipped('prediction', 'bundles/ef/*.safetensors'),
    )
    for how, text in ((blank, 'half zeros'), (exchange, 'exchanged')):
        for name, pattern in (
            ('training', 'videos/*.avi'),
            ('packing', 'videos/*.avi'),
            ('prediction', 'recordings/*.avi'),
            (store, 'store/frames.bin'),
        ):
            yield f'`{pattern}` {text}, while in use', name, tests.replaced(name, pattern, how)


if __name__ == '__main__':
    run_campaign()
