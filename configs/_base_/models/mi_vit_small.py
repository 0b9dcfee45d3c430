# Myocardial infarction from a ViT-S/16 that starts as the pretrained encoder (section 3.1), by
# MMAction2's own recogniser and head. The paper is silent about the head.
_base_ = 'ef_vit_small.py'

model = dict(
    cls_head=dict(
        _delete_=True,
        type='mmaction.TimeSformerHead',
        num_classes=2,
        in_channels=384,
        average_clips='prob',
        # 37 normal recordings and 72 infarctions weigh the same.
        loss_cls=dict(type='CrossEntropyLoss', class_weight=[109 / (2 * 37), 109 / (2 * 72)]),
    ),
)
