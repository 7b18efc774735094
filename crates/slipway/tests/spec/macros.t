# The few macros that these tests need.
%nil %{!?nil}
%with() %{expand:%%{?with_%{1}:1}%%{!?with_%{1}:0}}
%bcond() %[%{2} ? "%{expand:%%{!?_without_%{1}:%%global with_%{1} 1}}" : "%{expand:%%{?_with_%{1}:%%global with_%{1} 1}}"]
%dist .t1
%_isa (x86-64)
%_topdir /top
%_builddir /top/BUILD
%_defaultdocdir /usr/share/doc
%_defaultlicensedir /usr/share/licenses
%_rpmconfigdir /usr/lib/rpm
%__mkdir_p mkdir -p
%__rpmuncompress rpmuncompress
%_fixperms chmod -Rf a+rX
%outer() %{inner %1}
%inner() %{error:%1 is not for this target}
