"""What training and testing have in common."""

from pathlib import Path

from mmengine.config import Config

TOOLS = Path(__file__).parents[2] / 'tools'


def test_without_workers_none_persist(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    import launch

    monkeypatch.setattr(launch.Runner, 'from_cfg', lambda config: config)
    loader = dict(num_workers=0, persistent_workers=True)
    config = Config(dict(launcher='none', train_dataloader=loader, val_dataloader=None))
    built = launch.build_runner(config, 'train_dataloader', 'val_dataloader')
    assert built.train_dataloader.persistent_workers is False
