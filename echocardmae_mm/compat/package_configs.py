"""mmengine resolves ``package::config.py`` for OpenMMLab's own packages only."""

from __future__ import annotations

from types import ModuleType

from echocardmae_mm.compat.patch import Execute, Patch, package_folder

PREFIX = 'echocardmae_mm::'


def _apply(module: ModuleType, execute: Execute) -> None:
    execute()
    get_cfg_path = module.Config._get_cfg_path

    def get_own_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
        folder = package_folder('echocardmae_mm')
        if cfg_path.startswith(PREFIX) and folder is not None:
            return str(folder / '.mim' / 'configs' / cfg_path.removeprefix(PREFIX)), None
        path: tuple[str, str | None] = get_cfg_path(cfg_path, filename)
        return path

    module.Config._get_cfg_path = staticmethod(get_own_cfg_path)


PACKAGE_CONFIGS = Patch(
    name="mmengine: 'package::config.py' supports OpenMMLab's packages only; also this one",
    issue='https://github.com/open-mmlab/mmengine/blob/v0.10.7/mmengine/config/utils.py',
    modules=('mmengine.config.config',),
    needed=lambda: True,
    apply=_apply,
)
