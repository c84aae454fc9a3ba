def freeze_backbone(model):
    for parameter in model.backbone.parameters():
        parameter.requires_grad = False
        parameter.grad = None


def start_epoch(model):
    model.train()
    model.backbone.training = False
