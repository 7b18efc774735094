# ~/.bashrc: read by interactive shells that are not login shells.
if [ -r /etc/bashrc ]; then
    . /etc/bashrc
fi
