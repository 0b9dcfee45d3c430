"""One command measures a folder, names no one, and continues after an interruption."""

import json
import re
import shutil
import threading
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from echocardmae_mm.apis import EchoInferencer
from echocardmae_mm.apis.example import BUNDLES
from echocardmae_mm.cli import predict
from echocardmae_mm.cli.predict import main
from echocardmae_mm.cli.run_folder import folder_lock
from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.phantom.reproducible_files import write_avi


@pytest.fixture
def folder(recordings, tmp_path):
    """Two recordings of a patient, one of another, and a damaged one."""
    root = tmp_path / 'Recordings of Mustermann'
    (root / 'Jane Doe').mkdir(parents=True)
    shutil.copy(recordings['clip'], root / 'Jane Doe' / 'Doe_4CH.avi')
    shutil.copy(recordings['echonet'], root / 'Jane Doe' / 'Doe_small.avi')
    shutil.copy(recordings['echonet'], root / 'Mustermann.avi')
    content = recordings['clip'].read_bytes()
    (root / 'Mustermann_cut.avi').write_bytes(content[: len(content) // 100])
    (root / 'notes.avi').write_text('Mustermann, Jane Doe')
    return root


def run(folder, bundles, out, *options, names=('ef', 'mi')):
    """Exit status of the command."""
    chosen = [str(bundles[name]) for name in names]
    try:
        main([str(folder), '--bundle', *chosen, '--out', str(out), '--device', 'cpu', *options])
    except SystemExit as leaving:
        return leaving.code
    return 0


def files_of(out):
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob('*'))
        if path.is_file() and path.name != '.lock'
    }


def test_measures_a_folder_and_names_no_one(folder, bundles, tmp_path, capsys):
    out = tmp_path / 'out'
    assert run(folder, bundles, out) == 3
    printed = capsys.readouterr()
    table = pd.read_csv(out / 'results.csv')
    assert table['status'].tolist() == ['measured'] * 3 + ['refused'] * 2
    assert table['patient'][0] == table['patient'][1] != table['patient'][2]
    assert table['recording'].is_unique
    assert '3 of 5 recordings measured' in printed.out
    assert 'no check for unusual features by tiny_ejection_fraction' in printed.out
    assert 'no check for unusual features' in (out / 'report.html').read_text()
    measured = EchoInferencer([bundles['ef']], 'cpu')(folder / 'Mustermann.avi').values
    assert table['ef_percent'][2] == pytest.approx(measured['ef_percent'], rel=1e-5)
    for name, content in files_of(out).items():
        for secret in ('Doe', 'Jane', 'Mustermann', str(tmp_path)):
            assert secret not in name
            assert secret.encode() not in content, name
    assert 'salt' not in (out / 'run.json').read_text()


def test_the_overlay_plays_and_is_black_outside_the_sector(folder, bundles, tmp_path):
    out = tmp_path / 'out'
    run(folder / 'Jane Doe' / 'Doe_4CH.avi', bundles, out, names=('ef',))
    (video,) = out.rglob('overlay.mp4')
    with av.open(str(video)) as file:
        assert file.streams.video[0].codec_context.name == 'h264'
        assert file.streams.video[0].codec_context.pix_fmt == 'yuv420p'
        frames = [frame.to_ndarray(format='rgb24') for frame in file.decode(video=0)]
    recording = open_recording(folder / 'Jane Doe' / 'Doe_4CH.avi')
    assert len(frames) == len(recording)
    corners = np.stack(frames)[:, 40:80, -40:]  # beside the apex, right of the note
    assert corners.max() < 24  # the losses of the codec


def test_an_interrupted_run_goes_on_with_the_same_bytes(folder, bundles, tmp_path, monkeypatch):
    # Results below the recordings are no recordings.
    whole, parts = tmp_path / 'whole', folder / 'Jane Doe' / 'results'
    run(folder, bundles, whole, '--salt', 'secret')

    def dies(target, result, *rest):
        (target / 'overlay.mp4').write_bytes(b'half')
        raise KeyboardInterrupt

    real, calls = predict.write_outputs, []

    def dies_at_the_second(*args):
        calls.append(args)
        (dies if len(calls) == 2 else real)(*args)

    with monkeypatch.context() as patch:
        patch.setattr(predict, 'write_outputs', dies_at_the_second)
        with pytest.raises(KeyboardInterrupt, match='repeat the command to continue'):
            run(folder, bundles, parts, '--salt', 'secret')
    assert run(folder, bundles, parts) == 3
    assert files_of(parts) == files_of(whole)


def test_force_leaves_a_run_that_another_process_writes(folder, bundles, tmp_path):
    out = tmp_path / 'results'
    run(folder, bundles, out, names=('ef',))
    before = files_of(out)
    with folder_lock(out):
        refusal = run(folder, bundles, out, '--force', names=('ef',))
    assert 'another process is running in it' in refusal
    assert files_of(out) == before


def test_reading_ahead_for_a_gpu_changes_no_byte(folder, bundles, tmp_path, monkeypatch):
    one, ahead = tmp_path / 'one', tmp_path / 'ahead'
    run(folder, bundles, one, '--salt', 'secret', names=('ef',))
    threads = set()
    real = EchoInferencer.read

    def read(self, *args):
        threads.add(threading.current_thread())
        return real(self, *args)

    monkeypatch.setattr(EchoInferencer, 'on_gpu', True)
    monkeypatch.setattr(EchoInferencer, 'read', read)
    assert run(folder, bundles, ahead, '--salt', 'secret', names=('ef',)) == 3
    assert threads
    assert threading.main_thread() not in threads
    assert files_of(ahead) == files_of(one)


def test_a_finished_or_different_run_is_not_overwritten(folder, bundles, tmp_path):
    out = tmp_path / 'out'
    one = folder / 'Mustermann.avi'
    assert run(one, bundles, out, names=('ef',)) == 0
    before = files_of(out)
    assert 'holds a finished run' in run(one, bundles, out, names=('ef',))
    assert 'belongs to another run: fps' in run(one, bundles, out, '--fps', '40', names=('ef',))
    assert files_of(out) == before
    foreign = tmp_path / 'foreign'
    foreign.mkdir()
    (foreign / 'results.csv').write_text('mine')
    assert 'lacks its run.json' in run(one, bundles, foreign, names=('ef',))
    assert (foreign / 'results.csv').read_text() == 'mine'
    assert run(one, bundles, out, '--force', names=('ef',)) == 0
    assert files_of(out).keys() != before.keys()  # another salt


def test_force_replaces_a_run_and_nothing_else(folder, bundles, tmp_path):
    out, one = tmp_path / 'out', folder / 'Mustermann.avi'
    assert run(one, bundles, out, names=('ef',)) == 0
    (out / 'example').mkdir()
    (out / 'example' / 'own.avi').touch()
    before = files_of(out)
    refusal = run(one, bundles, out, '--force', names=('ef',))
    assert 'example is not of the run that --force would replace' in refusal
    assert files_of(out) == before
    record = json.loads((out / 'run.json').read_text())
    record['settings']['example'] = True
    (out / 'run.json').write_text(json.dumps(record))
    assert run(one, bundles, out, '--force', names=('ef',)) == 0
    assert not (out / 'example').exists()


def test_a_run_goes_on_only_with_the_same_recordings_and_calibration(
    folder, bundles, tmp_path, monkeypatch
):
    out, table = tmp_path / 'out', folder / 'list.csv'
    table.write_text('path,fps\nMustermann.avi,50\n')
    bundle = shutil.copytree(bundles['ef'], tmp_path / 'ef')

    def dies(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(predict, 'write_one', dies)
        with pytest.raises(KeyboardInterrupt):
            run(table, {'ef': bundle}, out, names=('ef',))
    assert 'Mustermann' not in (out / 'run.json').read_text()
    other = run(folder / 'Mustermann.avi', {'ef': bundle}, out, names=('ef',))
    assert 'begun with another PATH' in other
    table.write_text('path,fps\nMustermann.avi,25\n')
    assert 'another content of a list' in run(table, {'ef': bundle}, out, names=('ef',))
    table.write_text('path,fps\nMustermann.avi,50\n')
    calibration = bundle / 'calibration.json'
    content = json.loads(calibration.read_text())
    calibration.write_text(json.dumps({**content, 'gate': {'min_seconds': 1.0}}))
    assert 'another run: calibrations' in run(table, {'ef': bundle}, out, names=('ef',))
    calibration.write_text(json.dumps(content, indent=2) + '\n')
    assert run(table, {'ef': bundle}, out, names=('ef',)) == 0
    assert json.loads((out / 'run.json').read_text()).keys() == {'settings', 'finished'}


def test_a_list_gives_view_spacing_and_study(folder, bundles, tmp_path):
    table = tmp_path / 'Recordings of Mustermann' / 'list.csv'
    table.write_text(
        'path,patient,study,view,spacing\n'
        'Jane Doe/Doe_4CH.avi,1,a,A4C,0.4\n'
        'Mustermann.avi,1,a,2CH,1.3 1.2\n'
    )
    out = tmp_path / 'out'
    run(table, bundles, out, names=('seg',))  # an untrained model, so no beat
    result = json.loads((out / 'results.json').read_text())
    first, second = result['recordings']
    assert (first['view'], second['view']) == ('4CH', '2CH')
    assert (second['pixel_height_mm'], second['pixel_width_mm']) == (1.3, 1.2)
    assert first['study'] == second['study']
    table.write_text('path,spaceing\nMustermann.avi,1\n')
    assert "unknown column 'spaceing'" in run(table, bundles, tmp_path / 'b', names=('seg',))
    table.write_text('path,spacing\nMustermann.avi,-1\n')
    assert 'row 2' in run(table, bundles, tmp_path / 'b', names=('seg',))


def test_a_refused_recording_has_a_reason_and_no_numbers(recordings, tmp_path):
    recording = open_recording(recordings['clip'])
    upside_down = recording.frames(range(len(recording)))[:, ::-1]
    write_avi(tmp_path / 'a.avi', upside_down, recording.fps)
    out = tmp_path / 'out'
    options = ['--bundle', *map(str, BUNDLES), '--out', str(out), '--device', 'cpu']
    with pytest.raises(SystemExit) as leaving:
        main([str(tmp_path / 'a.avi'), *options, '--spacing', '0.5'])
    assert leaving.value.code == 4
    (row,) = json.loads((out / 'results.json').read_text())['recordings']
    assert 'apex on top' in row['reason']
    units = ('percent', 'ml', 'cm2', 'bpm', 'axis_ed_mm', 'probability', 'beats')
    assert [name for name in row if name.endswith(units)] == []
    written = {path.name for path in (out / 'recordings' / row['recording']).iterdir()}
    assert written == {'overlay.mp4', 'thumbnail.jpg', 'result.json'}
    report = (out / 'report.html').read_text()
    assert re.search(r'"curve": null', report)
    assert row['reason'] in report


def test_nothing_measured_has_a_status_of_its_own(folder, bundles, tmp_path):
    assert run(folder / 'Mustermann_cut.avi', bundles, tmp_path / 'out', names=('ef',)) == 4


def test_one_recording_that_fails_does_not_end_the_run(
    folder, bundles, tmp_path, monkeypatch, capsys
):
    real = EchoInferencer.read

    def fails_at_mustermann(self, source, *args):
        if source.name == 'Mustermann.avi':
            raise ValueError('about Mustermann')
        return real(self, source, *args)

    monkeypatch.setattr(EchoInferencer, 'read', fails_at_mustermann)
    out = tmp_path / 'out'
    assert run(folder, bundles, out, names=('ef',)) == 3
    assert 'ValueError: about Mustermann' in capsys.readouterr().err
    table = pd.read_csv(out / 'results.csv')
    assert table['reason'].tolist().count('failed with ValueError') == 1
    assert (table['status'] == 'measured').sum() == 2
    assert b'Mustermann' not in b''.join(files_of(out).values())


def test_mistakes_get_one_line(folder, bundles, tmp_path):
    out = tmp_path / 'out'
    assert 'no such file or folder' in run(folder / 'nothing', bundles, out)
    (tmp_path / 'empty').mkdir()
    assert 'no recording' in run(tmp_path / 'empty', bundles, out)
    assert 'no bundle' in run(folder, {'ef': tmp_path}, out, names=('ef',))
    assert not out.exists()


def test_the_example_shows_all_outputs_and_their_marks(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(['--example', '--out', 'results', '--device', 'cpu'])
    out = tmp_path / 'results'
    assert '4 of 4 recordings measured' in capsys.readouterr().out
    table = pd.read_csv(out / 'results.csv')
    assert table['ef_percent'].between(10, 80).all()
    assert table['edv_ml'].between(15, 500).all()
    assert not table['flags'].fillna('').str.contains('unknown').any()
    apart = ~table['ef_outline_percent'].between(table['ef_low_percent'], table['ef_high_percent'])
    assert apart.tolist() == table['flags'].fillna('').str.contains('ef_disagreement').tolist()
    assert len(pd.read_csv(out / 'studies.csv')) == 4
    assert 'These numbers say nothing about real hearts' in (out / 'report.html').read_text()
    for path in (*out.glob('*.csv'), *out.glob('recordings/*/*.csv')):
        marks = pd.read_csv(path)[['training_data', 'use']].drop_duplicates()
        assert marks.to_numpy().tolist() == [['synthetic', 'research only']], path
    for path in (out / 'results.json', *out.glob('recordings/*/result.json')):
        assert '"training_data": "synthetic"' in path.read_text()
    size = sum(file.stat().st_size for folder in BUNDLES for file in folder.iterdir())
    assert size < 3e6

    main(['--example', '--out', 'results', '--device', 'cpu', '--force'])
    assert '4 of 4 recordings measured' in capsys.readouterr().out

    # The snippet of the documentation.
    page = (Path(__file__).parents[2] / 'docs' / 'prediction.md').read_text()
    names: dict = {}
    exec(re.search(r'```python\n(.*?)```', page, re.DOTALL)[1], names)
    assert names['result'].values['ef_percent'] == pytest.approx(table['ef_percent'][0], rel=1e-5)
    assert len(names['frames']) == table['frames'][0]
    assert (tmp_path / 'pictures' / 'overlay.mp4').is_file()
