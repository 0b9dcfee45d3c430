"""Measure a mixed folder of 60 synthetic recordings with planted names, killed and restarted.

    python tools/ci/mixed_folder.py [--bundle BUNDLE ...] [--kills 10] [--seed 14]

Thirty recordings are good: AVI of EchoNet-Dynamic's size, AVI and MP4 of scanner screens, DICOM in
five encodings, NIfTI and MetaImage. The other thirty are bad or show another view. Names, numbers
and dates of patients are planted in folders, file names, DICOM tags, metadata and captions. The
script prints a Markdown table of the outcomes, searches every byte and pixel of the results for the
planted names, and compares the results of a run that was killed at random moments with those of an
undisturbed one. Its exit status is 0 if every outcome is as expected, no name is found and the
results are equal.
"""

from __future__ import annotations

import base64
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import av
import cv2
import nibabel
import numpy as np
import pydicom
import SimpleITK
from pydicom.dataset import Dataset

from echocardmae_mm.apis.example import BUNDLES
from echocardmae_mm.cli.arguments import tool_parser
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.phantom import Phantom, dicom_files, make_phantom
from echocardmae_mm.phantom.reproducible_files import write_avi

SECRETS = ('Mustermann', 'Erika', 'MRN4711', '19641231', 'St. Elsewhere')
CAPTION = (255, 0, 255)  # no outline has this colour
FRAMES = 100
DICOM_KINDS = {kind.name: kind for kind in dicom_files.KINDS}


class Case(NamedTuple):
    """A kind of recording: its number, its writer, and the expected flag or reason."""

    number: int
    write: Callable[[Path, int], None]
    expected: str = ''
    refused: bool = True


def phantom_of(index: int, screen: str) -> Phantom:
    """Make a phantom, with a burned-in name if its screen has room for one."""
    phantom = make_phantom([41, index], screen=screen, num_frames=FRAMES)
    if screen != 'echonet':
        for frame in phantom.frames:
            place = (4, frame.shape[0] - 8)
            cv2.putText(frame, 'Mustermann', place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, CAPTION, 1)
            frame[phantom.sector_mask & (frame == CAPTION).all(-1)] = 0
    return phantom


def avi(screen: str, change: Callable[[np.ndarray], np.ndarray] = np.asarray) -> Callable:
    """Return a function that writes changed frames as Motion JPEG."""

    def write(path: Path, index: int) -> None:
        phantom = phantom_of(index, screen)
        write_avi(path.with_suffix('.avi'), change(phantom.frames), phantom.fps)

    return write


def mp4(path: Path, index: int) -> None:
    """Write a screen as H.264 with a title."""
    phantom = phantom_of(index, 'clip')
    with av.open(str(path.with_suffix('.mp4')), 'w') as file:
        file.metadata['title'] = 'Mustermann, Erika'
        stream = file.add_stream('libx264', rate=round(phantom.fps))
        stream.height, stream.width = phantom.frames.shape[1:3]
        stream.pix_fmt, stream.options = 'yuv420p', {'crf': '18'}
        for frame in phantom.frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format='rgb24')))
        file.mux(stream.encode())


def dicom(kind: str, view: str = '') -> Callable:
    """Return a function that writes a DICOM file with tags of a patient."""

    def write(path: Path, index: int) -> None:
        phantom = phantom_of(index, 'clip')
        frames = phantom.frames
        if kind == 'doppler':
            frames = dicom_files.with_flow(phantom)
        elif kind == 'still':
            frames = frames[:1]
        recording = dicom_files.Recording(index, path.name, DICOM_KINDS[kind])
        header = dicom_files._header(recording, phantom, len(frames), 41)
        dicom_files._add_pixels(header, frames, DICOM_KINDS[kind])
        header.PatientName, header.PatientID = 'Mustermann^Erika', 'MRN4711'
        header.PatientBirthDate, header.InstitutionName = '19641231', 'St. Elsewhere'
        header.add_new(0x00091010, 'LO', 'Mustermann')
        if view:
            code = Dataset()
            code.CodeMeaning, code.CodeValue = view, 'G-A19B'
            code.CodingSchemeDesignator = 'SRT'
            header.ViewCodeSequence = [code]
        pydicom.dcmwrite(path.with_suffix('.dcm'), header, enforce_file_format=True)

    return write


def nifti(path: Path, index: int) -> None:
    """Write grey frames as NIfTI (x, y, t)."""
    phantom = phantom_of(index, 'clip')
    image = nibabel.Nifti1Image(phantom.frames.max(-1).transpose(2, 1, 0), np.eye(4))
    image.header.set_zooms((phantom.spacing[1], phantom.spacing[0], 1 / phantom.fps))
    image.header['aux_file'] = b'Mustermann'
    nibabel.save(image, path.with_suffix('.nii.gz'))


def meta_image(path: Path, index: int) -> None:
    """Write grey frames as .mhd and .raw."""
    phantom = phantom_of(index, 'clip')
    image = SimpleITK.GetImageFromArray(phantom.frames.max(-1))
    image.SetSpacing((phantom.spacing[1], phantom.spacing[0], 1.0))
    SimpleITK.WriteImage(image, str(path.with_suffix('.mhd')))


def damaged(share: float) -> Callable:
    """Return a function that writes only the first part of a file."""

    def write(path: Path, index: int) -> None:
        avi('portable')(path, index)
        file = path.with_suffix('.avi')
        content = file.read_bytes()
        file.write_bytes(content[: int(share * len(content))])

    return write


def colour(path: Path, index: int) -> None:
    """Write colour flow to a video file."""
    phantom = phantom_of(index, 'portable')
    write_avi(path.with_suffix('.avi'), dicom_files.with_flow(phantom), phantom.fps)


def text(path: Path, index: int) -> None:
    """Write text to a file named as a video."""
    path.with_suffix('.mp4').write_text('Mustermann, Erika\n')


def empty(path: Path, index: int) -> None:
    """Write an empty file."""
    path.with_suffix('.avi').touch()


def blank_fifths(frames: np.ndarray) -> np.ndarray:
    """Blacken every fifth frame."""
    frames = frames.copy()
    frames[2::5] = 0
    return frames


GOOD = {
    'AVI, 112 x 112': Case(6, avi('echonet')),
    'AVI, screen': Case(6, avi('clip')),
    'MP4, screen': Case(6, mp4),
    **{
        f'DICOM, {kind}': Case(count, dicom(kind))
        for kind, count in (('rgb', 2), ('ybr_jpeg', 2), ('mono', 1), ('mono_jpeg', 1), ('ybr', 1))
    },
    'NIfTI': Case(3, nifti),
    'MetaImage': Case(2, meta_image),
}
BAD = {
    'ten frames': Case(3, avi('clip', lambda frames: frames[:10]), 'too_short'),
    'turned by 90 degrees': Case(
        3,
        avi('clip', lambda frames: np.ascontiguousarray(np.rot90(frames, axes=(1, 2)))),
        'rotated',
    ),
    'upside down': Case(2, avi('clip', lambda frames: frames[:, ::-1]), 'rotated'),
    'turned, 112 x 112': Case(2, avi('echonet', lambda frames: frames[:, ::-1]), 'outside_mask'),
    'mirrored, 112 x 112': Case(
        2, avi('echonet', lambda frames: frames[:, :, ::-1]), 'outside_mask'
    ),
    'colour flow, AVI': Case(3, colour, 'colour'),
    'colour flow, DICOM': Case(1, dicom('doppler'), 'colour'),
    'M-mode, DICOM': Case(1, dicom('mmode'), 'M-mode'),
    'still, DICOM': Case(1, dicom('still'), 'a still image'),
    'still, AVI': Case(
        2, avi('clip', lambda frames: np.repeat(frames[:1], len(frames), axis=0)), 'no moving'
    ),
    'shuffled frames': Case(2, avi('clip', np.random.default_rng(0).permutation), 'frame_order'),
    'black frames': Case(2, avi('clip', blank_fifths), 'frame_order'),
    'truncated': Case(2, damaged(0.01), 'no frame can be decoded'),
    'no recording': Case(1, text, 'not a'),
    'empty file': Case(1, empty, 'empty'),
    'two-chamber view': Case(2, dicom('rgb', 'Apical two chamber'), 'view', refused=False),
}


def write_folder(root: Path) -> list[tuple[str, Case]]:
    """Write the recordings, and return their kinds in the order of the file names."""
    kinds: list[tuple[str, Case]] = []
    for name, case in (GOOD | BAD).items():
        for _ in range(case.number):
            number = len(kinds)
            folder = root / f'Mustermann_Erika_{number % 9}'
            folder.mkdir(parents=True, exist_ok=True)
            case.write(folder / f'{number:02d}_MRN4711_19641231', number)
            kinds.append((name, case))
    return kinds


def predict(root: Path, out: Path, bundles: list[str]) -> subprocess.Popen:
    """Start ``echocardmae predict``."""
    command = [sys.executable, '-m', 'echocardmae_mm', 'predict', str(root), '--bundle', *bundles]
    options = ['--out', str(out), '--salt', 'secret', '--allow-synthetic-model', '--device', 'cpu']
    return subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)


def table_of(kinds: list[tuple[str, Case]], rows: list[dict]) -> tuple[str, list[str]]:
    """Return the table of outcomes, and a list of the unexpected ones."""
    wrong, lines = [], []
    outcomes: dict[str, list[str]] = {}
    for (name, case), row in zip(kinds, rows):
        said = f'{row["reason"]} {row.get("flags") or ""}'
        is_refused = row['status'] == 'refused'
        as_expected = (
            (case.expected in said and is_refused == case.refused)
            if name in BAD
            else (not is_refused)
        )
        outcomes.setdefault(name, []).append('as expected' if as_expected else said.strip())
        if not as_expected:
            wrong.append(f'{name}: {row["status"]}, {said.strip()}')
    for name, found in outcomes.items():
        case = (GOOD | BAD)[name]
        expected = 'measured' if name in GOOD else f'{"refused" if case.refused else "flagged"}'
        lines.append((name, str(len(found)), expected, str(found.count('as expected'))))
    return markdown_table(('recordings', 'number', 'expected', 'as expected'), lines), wrong


def leaks(out: Path, root: Path) -> Iterator[str]:
    """Yield where planted names occur in the names, bytes and pixels of the results."""
    secrets = [secret.encode() for secret in (*SECRETS, str(root.parent))]
    for path in sorted(out.rglob('*')):
        if any(secret.decode() in str(path.relative_to(out)) for secret in secrets):
            yield f'{path.relative_to(out)}: name'
        if not path.is_file():
            continue
        content = path.read_bytes()
        embedded = re.findall(rb'base64,([A-Za-z0-9+/=]+)', content)
        for part in (content, *map(base64.b64decode, embedded)):
            if any(secret.lower() in part.lower() for secret in secrets):
                yield f'{path.relative_to(out)}: bytes'
        for image in pictures(path):
            if shows_caption(image):
                yield f'{path.relative_to(out)}: pixels of the caption'
                break


def shows_caption(image: np.ndarray) -> bool:
    """Whether an image contains the colour of the planted caption."""
    red, green, blue = image.astype(np.int16).transpose(2, 0, 1)
    return int(((red > 150) & (blue > 150) & (green < 90)).sum()) > 20


def pictures(path: Path) -> Iterator[np.ndarray]:
    """Yield the images of a file, RGB."""
    if path.suffix in ('.png', '.jpg'):
        yield cv2.imread(str(path))[..., ::-1]
    elif path.suffix == '.mp4':
        with av.open(str(path)) as file:
            for frame in file.decode(video=0):
                yield frame.to_ndarray(format='rgb24')


def bytes_of(out: Path) -> dict[str, bytes]:
    """Read all files except the lock, by path."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob('*'))
        if path.is_file() and path.name != '.lock'
    }


def main() -> int:
    parser = tool_parser(__doc__)
    parser.add_argument(
        '--bundle',
        nargs='+',
        default=[str(bundle) for bundle in BUNDLES],
        help='folders of bundles (default: the example bundles)',
    )
    parser.add_argument('--kills', type=int, default=10, help='number of kills')
    parser.add_argument('--seed', type=int, default=14, help='seed of the moments of the kills')
    args = parser.parse_args()
    draw = random.Random(args.seed)
    with TemporaryDirectory() as scratch:
        root = Path(scratch) / 'Recordings of Mustermann'
        kinds = write_folder(root)
        for path in root.rglob('*_MRN4711_*.mp4'):  # the search finds the caption in the input
            assert path.stat().st_size < 100 or all(map(shows_caption, pictures(path)))
        started = time.monotonic()
        status = predict(root, Path(scratch) / 'whole', args.bundle).wait()
        seconds = time.monotonic() - started
        result = json.loads((Path(scratch) / 'whole' / 'results.json').read_text())
        by_file = ordered(root, result['recordings'])
        table, wrong = table_of(kinds, by_file)
        print(f'{table}\n\nexit status {status}, {len(kinds)} recordings in {seconds:.0f} s')
        found = list(leaks(Path(scratch) / 'whole', root))
        print(f'planted names found: {len(found)}', *found, sep='\n')
        killed = 0
        for _ in range(args.kills):
            process = predict(root, Path(scratch) / 'killed', args.bundle)
            time.sleep(draw.uniform(0.04, 0.16) * seconds)
            killed += process.poll() is None
            process.kill()
            process.wait()
        predict(root, Path(scratch) / 'killed', args.bundle).wait()
        same = bytes_of(Path(scratch) / 'whole') == bytes_of(Path(scratch) / 'killed')
        print(f'killed {killed} times: {"the same bytes" if same else "OTHER BYTES"}')
        print(*wrong, sep='\n')
    return int(bool(found) or bool(wrong) or not same)


def ordered(root: Path, rows: list[dict]) -> list[dict]:
    """Sort the rows by the numbers in the file names."""
    files = [path for path in sorted(root.rglob('*')) if path.is_file() and path.suffix != '.raw']
    numbers = [int(path.name[:2]) for path in files]
    return [row for _, row in sorted(zip(numbers, rows), key=lambda pair: pair[0])]


if __name__ == '__main__':
    sys.exit(main())
