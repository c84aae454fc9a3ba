def freeze_backbone(model):
    for name, parameter in model.backbone.named_parameters():
        numbers = [int(part) for part in name.split(".") if part.isdigit()]
        if all(number < 6 for number in numbers):
            parameter.requires_grad = False
            parameter.grad = None


def start_epoch(model):
    model.train()
    model.backbone.eval()
