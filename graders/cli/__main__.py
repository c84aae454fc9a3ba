from . import main

if __name__ == "__main__":  # a process that is started from this one reads this file again
    main(prog_name="tlcourse")
