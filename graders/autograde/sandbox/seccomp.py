"""A filter on system calls: refuses those that no exercise needs and those that reach out of the sandbox."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from . import system

# name: (x86-64, arm64); None if there is no such call.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "migrate_pages": (256, 238),
    "move_pages": (279, 239), "setpriority": (141, 140), "ioprio_set": (251, 30),
    "sched_setparam": (142, 118), "sched_setscheduler": (144, 119), "sched_setattr": (314, 274),
    "sched_setaffinity": (203, 122),
    # namespaces, mounts, files by handle
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    "fanotify_init": (300, 262), "quotactl": (179, 60), "quotactl_fd": (443, 443), "acct": (163, 89),
    # memory that no limit covers
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186),
    "semget": (64, 190), "mq_open": (240, 180),
    # resources that a user, or the whole machine, has few of
    "io_setup": (206, 0), "inotify_init": (253, None), "inotify_init1": (294, 26),
    # parts of the kernel with a history of vulnerabilities
    "bpf": (321, 280), "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "perf_event_open": (298, 241), "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218), "personality": (135, 92), "modify_ldt": (154, None), "iopl": (172, None),
    "ioperm": (173, None), "syslog": (103, 116), "vmsplice": (278, 75), "mbind": (237, 235),
    "set_mempolicy": (238, 237),
    # the machine
    "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "clock_adjtime": (305, 266), "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "vhangup": (153, 58),
}  # fmt: skip
_ALONE = {
    "fork": (57, None), "vfork": (58, None), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "tkill": (200, 130),
    "truncate": (76, 45),  # by name; Landlock does not cover this before Linux 6.2
    "socket": (41, 198),  # Landlock does not cover sockets with a path, nor did it at first any others
}  # fmt: skip
# Landlock does not cover permissions, owners, times and attributes. These calls do nothing and report
# success, which `shutil.copy` needs.
_IGNORED_ALONE = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "setxattrat": (463, 463), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "removexattrat": (466, 466), "file_setattr": (469, 469),
}  # fmt: skip
_CLONE, _CLONE3, _SOCKET, _PRLIMIT = (56, 435, 41, 302) if system.X86 else (220, 435, 198, 261)
_FCNTL, _IOCTL = (72, 16) if system.X86 else (25, 29)
_OWNERS = {_FCNTL: (8, 15), _IOCTL: (0x8901, 0x8902)}  # F_SETOWN, F_SETOWN_EX; FIOSETOWN, SIOCSPGRP
_KILL, _TGKILL = (62, 234) if system.X86 else (129, 131)
_ARCHITECTURE = 0xC000003E if system.X86 else 0xC00000B7
_CLONE_NAMESPACES, _CLONE_THREAD = 0x7E020000, 0x10000  # any CLONE_NEW*; a thread
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH = 0, 4  # offsets in struct seccomp_data
_ARGUMENT_0, _ARGUMENT_1 = 16, 24  # the low halves of arguments


def install(alone: bool) -> None:
    """Filter this process and whatever it starts, from now on; `no_new_privs` has to be set.

    Args:
        alone: also refuse to start processes, to signal others and to open sockets, and leave rights and
            times of files alone, for where no namespace keeps them apart.
    """
    code = b"".join(_program(alone))
    buffer = ctypes.create_string_buffer(code, len(code))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]

    program = Program(len(code) // 8, ctypes.addressof(buffer))
    system.prctl(system.PR_SET_SECCOMP, 2, ctypes.addressof(program))


def _program(alone: bool) -> list[bytes]:
    refuse, absent = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS
    code = [
        _step(_LOAD, _ARCH),
        _step(_EQUAL, _ARCHITECTURE, 1, 0),
        _step(_RETURN, _KILL_PROCESS),
        _step(_LOAD, _NUMBER),
        *_if(_AT_LEAST, 0x40000000, [_step(_RETURN, absent)]),  # the x32 calls
        *_if(
            _EQUAL, _CLONE3, [_step(_RETURN, absent)]
        ),  # a filter cannot see its flags; the C library falls back to clone
    ]
    answers = dict.fromkeys((_REFUSED | (_ALONE if alone else {})).values(), refuse)
    answers |= dict.fromkeys(_IGNORED_ALONE.values() if alone else (), _ERRNO)
    for numbers, answer in answers.items():
        number = numbers[0 if system.X86 else 1]
        if number is not None:
            code += _if(_EQUAL, number, [_step(_RETURN, answer)])
    code += _where(
        _SOCKET, _if(_EQUAL, 1, [_step(_RETURN, _ALLOW)]) + [_step(_RETURN, refuse)]
    )  # only AF_UNIX
    code += _where(_PRLIMIT, _if(_EQUAL, 0, [_step(_RETURN, _ALLOW)]) + [_step(_RETURN, refuse)])  # of itself
    code += _where(_CLONE, _if(_ANY_BIT, _CLONE_NAMESPACES, [_step(_RETURN, refuse)]) + (
        [*_if(_ANY_BIT, _CLONE_THREAD, [_step(_RETURN, _ALLOW)]), _step(_RETURN, refuse)] if alone
        else [_step(_RETURN, _ALLOW)]
    ))  # fmt: skip
    if alone:
        own = _if(_EQUAL, os.getpid(), [_step(_RETURN, _ALLOW)])
        for number in (_KILL, _TGKILL):
            code += _where(number, [*own, _step(_RETURN, refuse)])
        # The owner of a descriptor can be sent any signal; Landlock does not cover this before Linux 6.12.
        for number, commands in _OWNERS.items():
            refused = [step for one in commands for step in _if(_EQUAL, one, [_step(_RETURN, refuse)])]
            code += _where(number, [*refused, _step(_RETURN, _ALLOW)], argument=_ARGUMENT_1)
    return [*code, _step(_RETURN, _ALLOW)]


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _if(test: int, value: int, then: list[bytes]) -> list[bytes]:
    return [_step(test, value, 0, len(then)), *then]


def _where(number: int, then: list[bytes], argument: int = _ARGUMENT_0) -> list[bytes]:
    """`then` has to return: it runs with an argument of the call loaded, by default the first."""
    return _if(_EQUAL, number, [_step(_LOAD, argument), *then])
