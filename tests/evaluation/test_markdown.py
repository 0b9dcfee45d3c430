from echocardmae_mm.evaluation.markdown import markdown_table


def test_columns_are_aligned():
    assert markdown_table(('a', 'longer'), [('first', 1), ('b', 22.5)]).splitlines() == [
        '| a     | longer |',
        '| ----- | -----: |',
        '| first |      1 |',
        '| b     |   22.5 |',
    ]


def test_no_rows():
    assert markdown_table(('a', 'b'), []) == '| a   |   b |\n| --- | --: |'
