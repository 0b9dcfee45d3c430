import argparse
import json
import os
import pickle
import threading
import traceback
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader, save_checkpoint

import echocardmae_mm  # noqa: F401
from echocardmae_mm.compat import RefusedCheckpoint
from echocardmae_mm.compat.unsafe_checkpoints import weights_only
from echocardmae_mm.utils.errors import UserError


class Calls:
    """Pickles as the call of a function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder, and its address on a local web server."""
    folder = tmp_path / 'served'
    folder.mkdir()
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    server = ThreadingHTTPServer(('127.0.0.1', 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()


def of_a_run():
    history = HistoryBuffer([0.5, 0.25], [1, 1])
    return {
        'state_dict': {'weight': torch.arange(3.0)},
        'message_hub': {
            'log_scalars': {'train/loss': history},
            'runtime_info': {'best': np.float64(0.1), 'iter': np.int64(7), 'lr': [1e-3]},
            'resumed_keys': {'iter': True},
        },
        'meta': {'epoch': 1, 'palette': np.eye(2, dtype=np.uint8), 'of': b'\x00\xff'},
    }


def assert_of_a_run(loaded):
    history = loaded['message_hub']['log_scalars']['train/loss']
    assert isinstance(history, HistoryBuffer)
    assert history.mean() == history.statistics('mean') == 0.375
    assert loaded['message_hub']['runtime_info'] == {'best': 0.1, 'iter': 7, 'lr': [1e-3]}
    assert loaded['meta']['palette'].tolist() == [[1, 0], [0, 1]]
    assert loaded['meta']['of'] == b'\x00\xff'
    assert torch.equal(loaded['state_dict']['weight'], torch.arange(3.0))


@pytest.mark.parametrize('legacy', [False, True])
def test_reads_what_mmengine_stores(served, legacy):
    folder, address = served
    if legacy:
        torch.save(of_a_run(), folder / 'run.pth', _use_new_zipfile_serialization=False)
    else:
        save_checkpoint(of_a_run(), str(folder / 'run.pth'))
    assert_of_a_run(CheckpointLoader.load_checkpoint(str(folder / 'run.pth')))
    assert_of_a_run(CheckpointLoader.load_checkpoint(f'{address}/run.pth'))


@pytest.mark.parametrize('home', [b'numpy.core', b'numpy._core'])
def test_reads_what_either_numpy_wrote(tmp_path, home):
    torch.save(of_a_run(), tmp_path / 'here.pth')
    with (
        zipfile.ZipFile(tmp_path / 'here.pth') as here,
        zipfile.ZipFile(tmp_path / 'there.pth', 'w') as there,
    ):
        for name in here.namelist():
            content = here.read(name)
            if name.endswith('data.pkl'):
                content = content.replace(b'cnumpy._core.', b'cnumpy.core.')
                assert b'cnumpy.core.multiarray\n_reconstruct' in content
                content = content.replace(b'cnumpy.core.', b'c' + home + b'.')
            there.writestr(name, content)
    assert_of_a_run(CheckpointLoader.load_checkpoint(str(tmp_path / 'there.pth')))


def evil_things(marker):
    touch = f'touch {marker}'
    return {
        'os.system': Calls(os.system, touch),
        'eval': Calls(eval, f'open({str(marker)!r}, "w")'),
        'exec': Calls(exec, f'open({str(marker)!r}, "w")'),
        'getattr of a module': Calls(getattr, Calls(__import__, 'os'), 'system'),
        'getattr for globals': Calls(getattr, HistoryBuffer.mean, '__globals__'),
        'getattr of a dunder': Calls(getattr, HistoryBuffer, '__init__'),
        'getattr of a tensor': Calls(getattr, torch.Tensor, 'tofile'),
        'getattr that registers': Calls(getattr, HistoryBuffer, 'register_statistics'),
        'namespace': argparse.Namespace(command=touch),
        'partial': partial(os.system, touch),
        'in a history': HistoryBuffer([1], [1]),
    }


class Setting:
    """A type of a user's own hook."""


@pytest.mark.parametrize(
    'wider', [getattr, *([(getattr, 'builtins.getattr')] if torch.__version__ >= '2.6' else [])]
)
def test_what_others_allow_does_not_widen_the_list(tmp_path, wider):
    before = torch.serialization.get_safe_globals()
    torch.save(evil_things('')['getattr for globals'], tmp_path / 'evil.pth')
    torch.save({'own': Setting()}, tmp_path / 'own.pth')
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals([wider, Setting])
    allowed = torch.serialization.get_safe_globals()
    try:
        with pytest.raises(RefusedCheckpoint, match=r'builtins\.getattr'):
            CheckpointLoader.load_checkpoint(str(tmp_path / 'evil.pth'))
        assert_reads_a_run(tmp_path)
        own = CheckpointLoader.load_checkpoint(str(tmp_path / 'own.pth'))['own']
        assert isinstance(own, Setting)
        assert set(torch.serialization.get_safe_globals()) == set(allowed)
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


def assert_reads_a_run(folder):
    save_checkpoint(of_a_run(), str(folder / 'run.pth'))
    assert_of_a_run(CheckpointLoader.load_checkpoint(str(folder / 'run.pth')))


@pytest.mark.parametrize('what', list(evil_things('')))
@pytest.mark.parametrize('legacy', [False, True])
def test_nothing_else_is_loaded_from_anywhere(served, tmp_path, monkeypatch, what, legacy):
    folder, address = served
    marker = tmp_path / 'executed'
    evil = evil_things(marker)[what]
    if isinstance(evil, HistoryBuffer):
        evil.trojan = Calls(os.system, f'touch {marker}')
    torch.save({'a': evil}, folder / 'evil.pth', _use_new_zipfile_serialization=not legacy)
    monkeypatch.setenv('MMENGINE_HOME', str(folder))
    (folder / 'open_mmlab.json').write_text(
        json.dumps({'there': f'{address}/evil.pth', 'here': 'evil.pth'})
    )
    for source in (
        str(folder / 'evil.pth'),
        f'{address}/evil.pth',
        'openmmlab://there',
        'openmmlab://here',
    ):
        with pytest.raises(RefusedCheckpoint, match='was not loaded: it contains'):
            CheckpointLoader.load_checkpoint(source)
    assert not marker.exists()


def test_a_refusal_says_how_to_keep_the_weights_of_a_trusted_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({**of_a_run(), 'args': argparse.Namespace(a=1)}, 'FILE')
    with pytest.raises(RefusedCheckpoint) as caught:
        CheckpointLoader.load_checkpoint('FILE')
    lines = traceback.format_exception(caught.value)
    assert 'add_safe_globals' not in ''.join(lines)
    advice = str(caught.value).rpartition('save its weights alone: ')[2]
    exec(advice, {'torch': torch})
    kept = CheckpointLoader.load_checkpoint('weights.pth')
    assert torch.equal(kept['state_dict']['weight'], torch.arange(3.0))


def test_the_evil_is_evil(tmp_path):
    marker = tmp_path / 'executed'
    torch.save(evil_things(marker)['os.system'], tmp_path / 'evil.pth')
    with zipfile.ZipFile(tmp_path / 'evil.pth') as file:
        (name,) = (name for name in file.namelist() if name.endswith('data.pkl'))
        pickle.loads(file.read(name))
    assert marker.exists()


def test_https_is_read_like_http():
    of = CheckpointLoader._get_checkpoint_loader
    assert of('https://example.org/a.pth') is of('http://example.org/a.pth')


@pytest.mark.parametrize('content', [b'', b'hello, world\n', b'PK\x03\x04 cut off', b'\x80\x02'])
def test_what_is_no_checkpoint_is_said_in_two_lines(tmp_path, content):
    (tmp_path / 'no.pth').write_bytes(content)
    with pytest.raises(UserError, match='was not loaded') as caught:
        CheckpointLoader.load_checkpoint(str(tmp_path / 'no.pth'))
    assert str(caught.value).count('\n') == 1


@pytest.mark.parametrize(
    'content',
    [[1, 2], torch.zeros(3), {1: 2}, {'state_dict': 5}, {'state_dict': {1: 2}}, {'meta': 5}],
    ids=str,
)
def test_another_object_is_no_checkpoint(tmp_path, content):
    torch.save(content, tmp_path / 'no.pth')
    with pytest.raises(RefusedCheckpoint, match='it is not a checkpoint, or it is damaged'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'no.pth'))


def write_zip(path):
    with zipfile.ZipFile(path, 'w') as file:
        file.writestr('a.txt', 'words')


def write_torchscript(path):
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), path)


@pytest.mark.parametrize('write', [write_zip, write_torchscript])
def test_another_kind_of_zip_file_is_no_checkpoint(tmp_path, write):
    write(tmp_path / 'no.pth')
    with pytest.raises(RefusedCheckpoint, match='it is not a checkpoint, or it is damaged'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'no.pth'))


def test_a_failed_download_is_named(served):
    _, address = served
    with pytest.raises(UserError, match=r'gone\.pth: cannot be downloaded \(.*[Nn]ot [Ff]ound\)$'):
        CheckpointLoader.load_checkpoint(f'{address}/gone.pth')
    with pytest.raises(UserError, match=r'cannot be downloaded \(.*refused\)$'):
        CheckpointLoader.load_checkpoint('http://127.0.0.1:1/a.pth')


def test_a_missing_file_stays_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'no.pth'))


def test_stock_mmengine_executes_what_it_loads_over_http(served, tmp_path, fresh_python):
    folder, address = served
    marker = tmp_path / 'executed'
    torch.save(evil_things(marker)['os.system'], folder / 'evil.pth')
    run = fresh_python(
        f"""
import os
from mmengine.runner.checkpoint import load_from_http
load_from_http('{address}/evil.pth')
os.remove('{marker}')
import echocardmae_mm
load_from_http('{address}/evil.pth')
"""
    )
    assert 'RefusedCheckpoint' in run.stderr
    assert not marker.exists()


def test_stock_mmengine_cannot_resume_or_is_not_safe(tmp_path, fresh_python):
    marker = tmp_path / 'executed'
    save_checkpoint(of_a_run(), str(tmp_path / 'run.pth'))
    torch.save(evil_things(marker)['os.system'], tmp_path / 'evil.pth')
    run = fresh_python(
        """
import pickle
from mmengine.runner import CheckpointLoader
for file in ('run.pth', 'evil.pth'):
    try:
        CheckpointLoader.load_checkpoint(file)
    except pickle.UnpicklingError:
        print('refused', file)
"""
    )
    assert ('refused run.pth' in run.stdout) != marker.exists()


@pytest.mark.parametrize('bit', [0, 3, 7])
def test_a_flipped_bit_of_a_weight_is_noticed(bit, tmp_path):
    path = tmp_path / 'weights.pth'
    weights = torch.arange(1000, dtype=torch.float32)
    torch.save({'state_dict': {'weight': weights}}, path)
    load = CheckpointLoader.load_checkpoint
    assert torch.equal(load(str(path))['state_dict']['weight'], weights)
    content = bytearray(path.read_bytes())
    content[content.index(weights.numpy().tobytes()) + 2001] ^= 1 << bit
    path.write_bytes(content)
    with pytest.raises(RefusedCheckpoint, match=r'weights\.pth was not loaded: .* damaged'):
        load(str(path))
    download = weights_only(torch.hub.load_state_dict_from_url)
    with pytest.raises(RefusedCheckpoint, match=r'weights\.pth was not loaded: .* damaged'):
        download(path.as_uri(), model_dir=str(tmp_path / 'cache'), progress=False)
