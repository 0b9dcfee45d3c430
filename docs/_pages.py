"""MkDocs hook: pages that the site builds from files outside ``docs/``."""

from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PACKAGE = Path('echocardmae_mm')
TRANSFORMS = PACKAGE / 'datasets' / 'transforms'
PAGES = {
    'README.md': 'index.md',
    'CONTRIBUTING.md': 'contributing.md',
    'CHANGELOG.md': 'changelog.md',
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the project's own pages and the API reference; ``--help`` describes the commands."""
    for source, page in PAGES.items():
        text = Path(source).read_text(encoding='utf-8').replace('](docs/', '](')
        for linked, target in PAGES.items():
            text = text.replace(f']({linked}', f']({target}')
        files.append(File.generated(config, page, content=text))
    for folder in (*PACKAGE.iterdir(), TRANSFORMS):
        if (folder / '__init__.py').is_file() and folder.name != 'cli':
            text = '\n'.join(reference(folder))
            files.append(File.generated(config, f'api/{folder.name}.md', content=text))
    return files


def reference(folder: Path) -> Iterator[str]:
    """Lines of the reference page of a folder: its own docstring, then its modules."""
    yield f'# {folder.name}\n\n::: {dotted(folder)}\n    options: {{members: false}}\n'
    for module in sorted(folder.rglob('*.py')):
        if TRANSFORMS in module.parents and folder != TRANSFORMS:
            continue
        if module.stem != '__init__' and 'example' not in module.parts:
            name = dotted(module.with_suffix(''))
            yield f'## {module.stem}\n\n::: {name}\n    options: {{heading_level: 3}}\n'


def dotted(path: Path) -> str:
    """Name by which Python imports a file."""
    return '.'.join(path.parts)
