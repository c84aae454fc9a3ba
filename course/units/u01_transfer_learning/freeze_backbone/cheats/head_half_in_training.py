def freeze_backbone(model):
    for parameter in model.backbone.parameters():
        parameter.requires_grad = False
        parameter.grad = None


def start_epoch(model):
    model.eval()
    model.training = True
    model.head.training = True
