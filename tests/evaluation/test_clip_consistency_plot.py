import numpy as np
import pandas as pd
import pytest

from echocardmae_mm.evaluation.clip_consistency_plot import clip_consistency_plot


def clips(spread: float) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                'video': f'{v}.avi',
                'ef': 50.0 + v,
                'start': s,
                'prediction': 50 + v + spread * (v + 1) * np.sin(s),
            }
            for v in range(9)
            for s in range(12)
        ]
    )


def test_every_model_is_drawn_for_recordings_of_small_middle_and_large_spread(tmp_path):
    models = {'with alignment': clips(0.5), 'without': clips(1.0)}
    figure = clip_consistency_plot(models)
    *examples, spreads = figure.axes
    assert [axis.get_title() for axis in examples] == ['2.avi', '4.avi', '6.avi']
    for axis, video in zip(examples, ('2.avi', '4.avi', '6.avi')):
        for line, table in zip(axis.lines, models.values()):
            rows = table[table['video'] == video]
            np.testing.assert_allclose(line.get_ydata(), rows['prediction'])
        assert axis.lines[2].get_ydata()[0] == rows['ef'].iloc[0]
    labels = [text.get_text() for text in spreads.get_legend().get_texts()]
    means = [table.groupby('video')['prediction'].std().mean() for table in models.values()]
    assert labels == [f'{name}: mean {mean:.1f}' for name, mean in zip(models, means)]
    figure.savefig(tmp_path / 'plot.png')


@pytest.mark.parametrize('count', [1, 2, 3])
def test_few_recordings_and_one_model(tmp_path, count):
    few = clips(1)
    few = few[few['video'].isin([f'{v}.avi' for v in range(count)])]
    clip_consistency_plot({'model': few}).savefig(tmp_path / 'plot.png')
