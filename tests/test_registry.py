import pytest
from mmengine import registry as of_mmengine
from mmengine.registry import DefaultScope

from echocardmae_mm import registry


@pytest.mark.parametrize('name', registry.__all__)
def test_every_registry_is_a_child_of_mmengines(name):
    child = getattr(registry, name)
    assert child.scope == 'echocardmae_mm'
    assert child.parent is getattr(of_mmengine, name)
    assert child.parent.children['echocardmae_mm'] is child


@pytest.mark.parametrize('scope', ['mmaction', 'mmseg', 'mmengine'])
def test_a_component_is_found_by_its_prefix_from_every_scope(scope):
    class Probe:
        pass

    registry.METRICS.register_module(module=Probe, force=True)
    try:
        with DefaultScope.overwrite_default_scope(scope):
            built = of_mmengine.METRICS.build(dict(type='echocardmae_mm.Probe'))
        assert type(built) is Probe
    finally:
        del registry.METRICS._module_dict['Probe']
