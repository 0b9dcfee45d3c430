"""Packaging; a wheel also carries configs, tools, the workflow and the model index as ``.mim``."""

import ast
import os
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
PACKAGE = 'echocardmae_mm'
CARRIED = ('configs', 'tools', 'workflow')
INDEX = 'model-index.yml'  # for `mim search`
ONNX = ['onnx', 'onnxscript', 'onnxruntime']
FEATURES = ['pyarrow']
# Before 9.17, Snakemake ran more jobs at a time than it was allowed. From 8 on, it needs Python
# 3.11, and has plugins for clusters; version 7 cannot use newer releases of PuLP.
REPRODUCE = [
    'snakemake>=9.17,<10; python_version >= "3.11"',
    'snakemake-executor-plugin-slurm; python_version >= "3.11"',
    'snakemake>=7.32,<8; python_version < "3.11"',
    'pulp<2.8; python_version < "3.11"',
]


def read_version() -> str:
    """Version of the package, read without importing it."""
    tree = ast.parse((ROOT / PACKAGE / '__init__.py').read_text(encoding='utf-8'))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == '__version__':
            return str(ast.literal_eval(node.value))
    raise RuntimeError(f'{PACKAGE}/__init__.py does not say __version__')


class BuildWithMim(build_py):
    """Puts configs, tools and the workflow where OpenMMLab's own packages keep them.

    An ordinary build copies them. An editable install links to them, so that what is edited is what
    runs; git ignores the links.
    """

    def run(self) -> None:
        super().run()
        if getattr(self, 'editable_mode', False):
            self._link(ROOT / PACKAGE / '.mim')
        else:
            self._copy(Path(self.build_lib) / PACKAGE / '.mim')

    def _copy(self, mim: Path) -> None:
        shutil.rmtree(mim, ignore_errors=True)
        for name in CARRIED:
            shutil.copytree(
                ROOT / name, mim / name, ignore=shutil.ignore_patterns('__pycache__', '*.pyc')
            )
        shutil.copy(ROOT / INDEX, mim)

    def _link(self, mim: Path) -> None:
        mim.mkdir(exist_ok=True)
        for name in (*CARRIED, INDEX):
            link = mim / name
            if not link.is_symlink():
                link.symlink_to(os.path.relpath(ROOT / name, mim), target_is_directory=True)


readme = ROOT / 'README.md'
setup(
    name=PACKAGE,
    version=read_version(),
    description='EchoCardMAE for OpenMMLab: masked pretraining on echocardiograms',
    long_description=readme.read_text(encoding='utf-8') if readme.is_file() else '',
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    project_urls={
        'Paper': 'https://papers.miccai.org/miccai-2025/0271-Paper2462.html',
        "Authors' released code": 'https://github.com/m1dsolo/EchoCardMAE',
    },
    keywords='echocardiography, masked autoencoder, self-supervised learning, OpenMMLab',
    classifiers=[
        'Intended Audience :: Science/Research',
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Medical Science Apps.',
    ],
    package_data={f'{PACKAGE}.apis': ['templates/*', 'example/*/*']},
    packages=find_packages(include=(PACKAGE, f'{PACKAGE}.*')),
    entry_points={'console_scripts': ['echocardmae = echocardmae_mm.cli.main:main']},
    cmdclass={'build_py': BuildWithMim},
    python_requires='>=3.10,<3.14',
    install_requires=[
        'torch>=2.4',
        'mmengine>=0.10.6,<0.11',
        'mmcv-lite>=2.1,<2.2',
        'mmaction2==1.2.0',
        'mmsegmentation>=1.2.2,<1.3',
        # What the released hosts import and do not declare.
        'importlib_metadata',
        'ftfy',
        'regex',
        # Video: PyAV reads recordings. mmaction2 asks for decord, which has wheels for two
        # platforms only.
        'av>=17,<19',  # 19 removed metadata_errors
        'decord; (sys_platform == "linux" and platform_machine == "x86_64")'
        ' or (sys_platform == "win32" and platform_machine == "AMD64")',
        # Both OpenCV packages install the same folder (mmaction2 asks for contrib): one version.
        'opencv-python<5.1',
        'opencv-contrib-python<5.1',
        # DICOM, NIfTI.
        'pydicom>=3',
        'pylibjpeg',
        'pylibjpeg-libjpeg',
        'pylibjpeg-openjpeg',
        'nibabel',
        # Numbers, tables, pictures.
        'numpy>=1.26',
        'scipy',
        'scikit-image',
        'scikit-learn',
        'pandas',
        'openpyxl',
        'matplotlib',
        'jinja2',
        'rich',
        'safetensors',
        'timm>=1',
    ],
    extras_require={
        'onnx': ONNX,
        'features': FEATURES,
        'reproduce': REPRODUCE,
        'test': [
            *ONNX,
            *FEATURES,
            *REPRODUCE,
            'pytest>=8,<9.2',  # pytest-xdist 3.8 does not see its groups in 9.2
            'pytest-xdist',
            'hypothesis',
            'crepes',
            'monai',
            'SimpleITK',
            'ruff',
            'mypy',
            'import-linter>=2.15',
            'tensorboard',
            'wandb',
            'setuptools>=70.1',
        ],
        'docs': ['mkdocs-material>=9.6', 'mkdocstrings[python]>=0.29'],
    },
    zip_safe=False,
)
