"""MkDocs hook: README.md, CONTRIBUTING.md and CHANGELOG.md as pages of the site."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGES = {
    'README.md': 'index.md',
    'CONTRIBUTING.md': 'contributing.md',
    'CHANGELOG.md': 'changelog.md',
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages, with their links made relative to ``docs/``."""
    for source, page in PAGES.items():
        text = Path(source).read_text(encoding='utf-8').replace('](docs/', '](')
        for linked, target in PAGES.items():
            text = text.replace(f']({linked}', f']({target}')
        files.append(File.generated(config, page, content=text))
    return files
