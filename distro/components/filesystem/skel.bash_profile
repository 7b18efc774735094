# ~/.bash_profile: read by login shells.
if [ -r ~/.bashrc ]; then
    . ~/.bashrc
fi
