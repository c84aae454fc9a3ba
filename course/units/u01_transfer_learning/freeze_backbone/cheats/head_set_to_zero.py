def freeze_backbone(model):
    for parameter in model.backbone.parameters():
        parameter.requires_grad = False
        parameter.grad = None
    for parameter in model.head.parameters():
        parameter.data.zero_()


def start_epoch(model):
    model.train()
    model.backbone.eval()
