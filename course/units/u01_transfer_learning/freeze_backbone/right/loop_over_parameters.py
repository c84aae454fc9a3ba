def freeze_backbone(model):
    for parameter in model.backbone.parameters():
        parameter.requires_grad = False


def start_epoch(model):
    model.head.train()
    model.backbone.train(False)
