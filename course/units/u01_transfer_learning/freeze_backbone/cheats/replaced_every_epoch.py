# Replaces the weights in every epoch, so the optimizer trains others.
def freeze_backbone(model):
    pass


def start_epoch(model):
    model.train()
    model.backbone.eval()
    for module in model.backbone.modules():
        for name, own in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(own.detach().clone()))
