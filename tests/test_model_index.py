"""model-index.yml names configs that exist, and claims neither weights nor results."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(
    not (ROOT / 'model-index.yml').is_file(), reason='runs from a checkout of the project'
)


def test_model_index_names_existing_configs():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    names = []
    for path in index['Import']:
        metafile = yaml.safe_load((ROOT / path).read_text())
        collections = {collection['Name']: collection for collection in metafile['Collections']}
        for collection in collections.values():
            assert (ROOT / collection['README']).is_file()
        for model in metafile['Models']:
            assert (ROOT / model['Config']).is_file(), model['Config']
            assert model['In Collection'] in collections
            assert not {'Weights', 'Results'} & set(model)
            names.append(model['Name'])
    assert len(names) == len(set(names))
