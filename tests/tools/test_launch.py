"""What the tools have in common."""

import signal
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

TOOLS = Path(__file__).parents[2] / 'tools'


@pytest.fixture
def told(monkeypatch):
    """The decorator of every tool; the handler of SIGCHLD is afterwards what it was."""
    monkeypatch.syspath_prepend(str(TOOLS))
    from launch import no_traceback_for_mistakes

    handler = signal.getsignal(signal.SIGCHLD)
    yield no_traceback_for_mistakes
    monkeypatch.undo()
    signal.signal(signal.SIGCHLD, handler)


def test_a_loading_process_lost_while_another_error_is_told(told, monkeypatch):
    """torch notices a dead process by a signal, whose handler raises wherever this one is."""
    arriving = [signal.SIGCHLD]
    set_handler = signal.signal

    def interrupted(number, handler):
        if arriving:
            raise RuntimeError(f'DataLoader worker (pid {arriving.pop()}) is killed by signal')
        return set_handler(number, handler)

    @told
    def main():
        raise EOFError

    monkeypatch.setattr(signal, 'signal', interrupted)
    with pytest.raises(SystemExit, match='a loading process was killed'):
        main()


def test_without_workers_none_persist(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import launch

    monkeypatch.setattr(launch.Runner, 'from_cfg', lambda config: config)
    loader = dict(num_workers=0, persistent_workers=True)
    config = Config(dict(launcher='none', train_dataloader=loader, val_dataloader=None))
    built = launch.build_runner(config, 'train_dataloader', 'val_dataloader')
    assert built.train_dataloader.persistent_workers is False


def test_a_place_that_cannot_be_written_costs_one_line(told, tmp_path):
    (tmp_path / 'file').touch()

    @told
    def main():
        (tmp_path / 'file' / 'results').mkdir()

    with pytest.raises(SystemExit, match=r'^error: .*/file/results: Not a directory$'):
        main()


def test_another_models_optimizer_is_told(told):
    @told
    def main():
        one, other = (torch.optim.SGD([torch.zeros(1)] * n, 0.1) for n in (1, 2))
        one.load_state_dict(other.state_dict())

    with pytest.raises(SystemExit, match='is of another model or optimizer than the config'):
        main()


def test_an_error_of_the_program_keeps_its_traceback(told):
    @told
    def main():
        raise RuntimeError('a fault')

    with pytest.raises(RuntimeError, match='a fault') as raised:
        main()
    assert raised.value.__context__ is None
