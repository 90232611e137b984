# shellcheck shell=bash
# For scripts/mutants, which sources it: the programs of stages.txt, compiled file by file at -O1 into BUILD/mutants/, and
# then with a mutant in the place of one file. Reads the variables root, build and base, and optimize for another level.
#
# A mutant of a C file costs one small object and a link; one of a header that most files include costs the program's
# unity file, as that is cheaper than its parts.

declare -A unit_source unit_command unit_count unity_source unity_command unity_count link

readonly units_apart_max=12 # above so many, the unity file

# programs_command PROGRAM OBJECT: the project's own command with its warnings, but for optimisation, debug information
# and files. Libraries are few files and keep their -O2: what the leak tracker leaves on stacks depends on it, and
# hides leaks.
programs_command() {
    local level=${optimize:-1}
    [[ $1 != *.so ]] || level=2
    ninja -C "$build" -t commands -s "$2" | tail -n 1 |
        sed -E 's/^[^ ]*ccache //; s/ -O[0-9s]/ -O'$level'/; s/ -g / /; s/ -Werror//; s/ -MD .*//; s/ -o .*//'
}

# programs_add_unit NAME SOURCE COMMAND
programs_add_unit() {
    local index=${unit_count[$1]:-0}
    unit_count[$1]=$((index + 1))
    unit_source[$1/$index]=$2
    unit_command[$1/$index]=$3
}

# Reads of ninja how PROGRAM is linked, and of what. The units that the unity file holds come first.
programs_read() {
    local program=$1 name=${1##*/} object command source
    local text
    text=$(ninja -C "$build" -t commands -s "$program" | tail -n 1 |
        sed -E 's/^: && //; s/ && :$//; s/[^ ]*ccache //; s/ -g / /')" "
    text=${text/" -o $program "/" -o @OUTPUT@ @OBJECTS@ "}
    while read -r object; do
        text=${text/" $object "/" "}
        command=$(programs_command "$program" "$object")
        if [[ $object == */Unity/unity_0_c.c.o ]]; then
            [ -z "${unit_count[$name]:-}" ] || die "$program: its unity file does not come first"
            unity_source[$name]=$build/${object%.o}
            unity_command[$name]=$command
            while read -r source; do
                programs_add_unit "$name" "$source" "$command"
            done < <(sed -n 's/^#include "\(.*\)"$/\1/p' "$build/${object%.o}")
            unity_count[$name]=${unit_count[$name]}
        else
            source=$(ninja -C "$build" -t query "$object" | awk '/input:/ { getline; print $1; exit }')
            [[ $source == /* ]] || source=$build/$source
            programs_add_unit "$name" "$source" "$command"
        fi
    done < <(ninja -C "$build" -t query "$program" | awk '/outputs:/ { exit } /\.o$/ && NF == 1 { print $1 }')
    link[$name]=$text
}

# programs_objects NAME DIRECTORY: all objects, those that are in the directory instead of the tree's own.
programs_objects() {
    local i=0
    if [ -f "$2/unity.o" ]; then
        printf ' %s' "$2/unity.o"
        i=${unity_count[$1]}
    fi
    for (( ; i < unit_count[$1]; i++)); do
        if [ -f "$2/$i.o" ]; then printf ' %s' "$2/$i.o"; else printf ' %s' "$base/$1/$i.o"; fi
    done
}

programs_link() { # NAME DIRECTORY OUTPUT
    local command=${link[$1]/@OBJECTS@/"$(programs_objects "$1" "$2")"}
    echo "${command/@OUTPUT@/"$3"}"
}

# Everything without a mutant, by ninja. Paths are without blanks, as the project's own build wants.
programs_prepare() { # PROGRAM…
    local program name i
    mkdir -p "$base"
    # Asking ninja for each object takes longer than a mutant does: once for a build.
    if [ "$base/programs" -nt "$build/build.ninja" ] && [ "$base/programs" -nt "$root/fuzz/mutants/programs.sh" ] &&
        [ "$(head -n 1 "$base/programs")" = "# $*" ]; then
        # shellcheck source=/dev/null
        . "$base/programs"
        programs_build
        return
    fi
    {
        printf 'builddir = %s\n' "$base"
        printf 'rule cc\n  command = cd %s && $line -MD -MF $out.d -o $out -c $in\n  depfile = $out.d\n  deps = gcc\n  description = $out\n' "$build"
        printf 'rule ld\n  command = cd %s && $line\n  description = $out\n' "$build"
        for program; do
            programs_read "$program"
            name=${program##*/}
            for ((i = 0; i < unit_count[$name]; i++)); do
                printf 'build %s: cc %s\n  line = %s\n' "$base/$name/$i.o" "${unit_source[$name/$i]}" "${unit_command[$name/$i]//\$/\$\$}"
            done
            if [ -n "${unity_source[$name]:-}" ]; then
                printf 'build %s: cc %s\n  line = %s\n' "$base/$name/unity.o" "${unity_source[$name]}" "${unity_command[$name]//\$/\$\$}"
            fi
            # A library that preloads goes by its own name.
            printf 'build %s: ld%s\n  line = %s\n' "$base/tree/$program" "$(programs_objects "$name" "$base/none")" \
                "$(programs_link "$name" "$base/none" "$base/tree/$program")"
        done
    } >"$base/build.ninja"
    {
        echo "# $*"
        declare -p unit_source unit_command unit_count unity_source unity_command unity_count link | sed 's/^declare -A/declare -gA/'
    } >"$base/programs"
    programs_build
}

programs_build() {
    ninja -C "$base" >"$base/said" || die "the programs do not build at -O1: see $base/said"
    # Asked once, when it was compiled: such a tree's own warnings would be every mutant's.
    ! grep -q 'warning:' "$base/said" || die "at -O1 the tree itself warns, see $base/said: mend that and remove $base"
    # Which units include which file: FILE NAME INDEX.
    ninja -C "$base" -t deps | awk -v root="$root/" -v base="$base/" '
        /^[^ ]/ { sub(/\.o: .*/, ""); sub(base, ""); sub("/", " "); unit = $0; next }
        index($1, root) == 1 && unit !~ / unity$/ { print substr($1, length(root) + 1), unit }' >"$base/dependents"
}

# units_of NAME FILE: the indices of those that include the file.
units_of() {
    awk -v name="$1" -v file="$2" '$1 == file && $2 == name { print $3 }' "$base/dependents"
}

# compile COMMAND SOURCE OBJECT OVERLAY [FLAG]: what the overlay has comes instead of the tree's; quoted includes name
# files from the root. The compiler's words go to OBJECT.said.
compile() {
    local source=$2 relative=${2#"$root/"}
    [ ! -f "$4/$relative" ] || source=$4/$relative
    (cd "$build" && eval "${1/ -I/ -I$4 -I} ${5:-} -fmacro-prefix-map=$4=$root -o '$3' -c '$source'") 2>"$3.said"
}

# The unity file with what the overlay has.
write_unity() { # NAME FILE OVERLAY OUTPUT
    sed "s|\"$root/$2\"|\"$3/$2\"|" "${unity_source[$1]}" >"$4"
}

# build_mutant NAME FILE OVERLAY DIRECTORY: compiles what the mutated file is part of. The result:
#   0  DIRECTORY has objects that differ from the tree's
#   1  all are the same, though a token that the compiler saw is another
#   2  it does not compile: see `how`
#   3  the compiler never sees the token
# Sets `warned` when the compiler warns, which CI takes for an error.
build_mutant() {
    local name=$1 file=$2 overlay=$3 directory=$4 i object command
    local units
    mapfile -t units < <(units_of "$name" "$file")
    [ "${#units[@]}" -gt 0 ] || return 3
    mkdir -p "$directory"
    local first=${units[0]} parts=()
    for i in "${units[@]}"; do
        if [ "${#units[@]}" -le $units_apart_max ] || [ "$i" -ge "${unity_count[$name]:-0}" ]; then
            parts+=("$i")
        elif [ "${parts[0]:-}" != unity ]; then
            parts=(unity "${parts[@]}")
            write_unity "$name" "$file" "$overlay" "$directory/unity.c"
        fi
    done
    for i in "${parts[@]}"; do
        object=$directory/$i.o
        if [ "$i" = unity ]; then
            compile "${unity_command[$name]}" "$directory/unity.c" "$object" "$overlay"
        else
            compile "${unit_command[$name/$i]}" "${unit_source[$name/$i]}" "$object" "$overlay"
        fi || {
            how=$(grep -m 1 error "$object.said" || head -n 1 "$object.said")
            return 2
        }
        [ -n "$warned" ] || warned=$(grep -m 1 -o 'warning: .*' "$object.said" || true)
        ! cmp -s "$object" "$base/$name/$i.o" || rm "$object"
    done
    [ -z "$(find "$directory" -name '*.o' -print -quit)" ] || return 0
    mkdir -p "$directory/none"
    command=${unit_command[$name/$first]}
    compile "$command" "${unit_source[$name/$first]}" "$directory/mutant.i" "$overlay" "-E -P"
    compile "$command" "${unit_source[$name/$first]}" "$directory/base.i" "$directory/none" "-E -P"
    ! cmp -s "$directory/mutant.i" "$directory/base.i" || return 3
    return 1
}
