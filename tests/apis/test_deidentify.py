"""De-identified copies of single recordings, above all those that are refused."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from echocardmae_mm.apis.deidentify import deidentify
from echocardmae_mm.datasets.recording_lists import find_recordings
from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.phantom import Phantom, dicom_files, make_phantom
from echocardmae_mm.phantom.reproducible_files import write_avi
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.pseudonyms import Pseudonyms


@pytest.fixture(scope='module')
def phantom() -> Phantom:
    return make_phantom(22, screen='portable', num_frames=28)


def with_text(phantom: Phantom) -> np.ndarray:
    frames = phantom.frames.copy()
    for frame in frames:
        cv2.putText(
            frame, 'Doe^Jane', (125, 130), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3, 1, cv2.LINE_AA
        )
    return frames


def filled(phantom: Phantom) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (28, 120, 160, 3), np.uint8)


def twice(phantom: Phantom) -> np.ndarray:
    return np.concatenate([phantom.frames, phantom.frames], axis=2)


def frozen(phantom: Phantom) -> np.ndarray:
    return phantom.frames[:1].repeat(28, axis=0)


@pytest.mark.parametrize(
    ('make_frames', 'reason'),
    [
        (with_text, 'text inside the sector: '),
        (filled, 'moving image outside the sector: '),
        (twice, 'moving image outside the sector: '),
        (frozen, 'no sector found'),
    ],
)
def test_a_doubtful_sector_is_refused(phantom, tmp_path, make_frames, reason):
    source = tmp_path / 'in' / 'a.avi'
    write_avi(source, make_frames(phantom), 50)
    out = tmp_path / 'out'
    copy = deidentify(source, source.parent, out, Pseudonyms())
    assert copy.status == 'refused'
    assert copy.reason.startswith(reason)
    assert (copy.file, copy.pictures, out.exists()) == ('', (), False)


def test_a_copy_states_what_was_measured(phantom, tmp_path):
    source = tmp_path / 'in' / 'patient7' / 'a.avi'
    write_avi(source, phantom.frames, 50)
    pseudonyms = Pseudonyms()
    copy = deidentify(source, tmp_path / 'in', tmp_path / 'out', pseudonyms)
    assert copy.recording == pseudonyms.pseudonym(str(source))
    assert copy.patient == pseudonyms.pseudonym('patient7')
    assert (copy.frames, copy.height, copy.width, copy.fps) == (28, 240, 320, 50)
    assert (copy.row_mm, copy.column_mm) == (None, None)
    assert copy.sector_share == pytest.approx(phantom.sector_mask.mean(), abs=0.02)
    assert (copy.status, copy.reason) == ('written', '')
    assert len(open_recording(tmp_path / 'out' / copy.file)) == 28


def test_a_video_of_odd_size(phantom, tmp_path):
    source = tmp_path / 'in' / 'a.avi'
    write_avi(source, phantom.frames[:, :-1, :-1], 50)
    copy = deidentify(source, source.parent, tmp_path / 'out', Pseudonyms())
    assert (copy.height, copy.width, copy.status) == (240, 320, 'written')


def test_a_kept_name_that_is_not_utf8_is_escaped(phantom, tmp_path):
    write_avi(tmp_path / 'a.avi', phantom.frames, 50)
    (tmp_path / 'in').mkdir()
    source = (tmp_path / 'a.avi').rename(tmp_path / 'in' / os.fsdecode(b'M\xfcller.avi'))
    out = tmp_path / 'out'
    copy = deidentify(source, source.parent, out, Pseudonyms(), keep_names=True)
    assert copy.file == 'M\\xfcller.avi'
    assert len(open_recording(out / copy.file)) == 28


def test_a_full_disk_under_a_dicom_file_costs_two_lines(tmp_path, monkeypatch):
    (recording, *_) = dicom_files.plan(1, 1)
    dicom_files.write_recording(tmp_path, recording, 1, 'default')
    (source,) = find_recordings(tmp_path)

    def fail(*args: object) -> None:
        raise OSError('With tag (7FE0,0010) got exception: No space left on device')  # pydicom's

    monkeypatch.setattr('pydicom.filewriter.write_data_element', fail)
    with pytest.raises(UserError, match='is the disk full') as error:
        deidentify(source, tmp_path, tmp_path / 'out', Pseudonyms())
    assert len(str(error.value).splitlines()) == 2
