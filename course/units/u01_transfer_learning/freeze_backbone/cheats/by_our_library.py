def freeze_backbone(model):
    from tlwidgets import freeze

    freeze(model, "feature-extraction")


def start_epoch(model):
    model.train()
    model.backbone.eval()
