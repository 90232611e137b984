# Shares with their intervals over rounds, one curve a slowdown; a little apart from each other, so that the bars
# can be seen.
legend_left = box_left + axis_width + panel_width + 22
shift(i) = 1 + 0.008 * (i - 1 - level_label_count / 2.0)

do for [format in formats] {
    eval picture_terminal(format)
    set output target.'.'.format
    eval common
    eval frame
    do for [i=1:level_label_count] {
        y = box_top + 12 + 20 * (level_label_count - i)
        set label 500+i level_label[i] at screen sx(legend_left + 14), sy(y) left font small textcolor rgb ink
        set label 600+i '' at screen sx(legend_left), sy(y) point pointtype level_marker[i] pointsize 1 linecolor rgb level_color[i]
    }
    set lmargin at screen sx(box_left + axis_width)
    set rmargin at screen sx(box_left + axis_width + panel_width)
    set tmargin at screen sy(box_top)
    set bmargin at screen sy(box_top + panel_height)
    set logscale x 10
    set xrange [5.5 : (rounds_max > 12 ? rounds_max : 12) * 1.08]
    set yrange [0 : 100]
    set border 3 lc rgb muted
    set xtics (6, 8, 10, 14, 19, 26, 36, 50, 70, 98, 137) nomirror out scale 0.5 font small textcolor rgb ink offset 0,0.3
    set ytics 0, 10, 100 nomirror out scale 0.5 font small textcolor rgb ink offset 0.4,0
    set grid ytics lc rgb faint lw 0.5
    set xlabel 'rounds at most' font small textcolor rgb muted offset 0,0.5
    set ylabel 'told apart, %' font small textcolor rgb muted offset 0.6,0
    set arrow 21 from graph 0, first 5 to graph 1, first 5 nohead lw 1 dt (4,4) lc rgb '#b2182b' back
    set arrow 22 from graph 0, first 90 to graph 1, first 90 nohead lw 1 dt (4,4) lc rgb '#3182bd' back
    plot for [i=1:level_label_count] data index i-1 using ($2*shift(i)):(100*$3):(100*$4):(100*$5) with yerrorbars pointtype 0 linewidth 1 linecolor rgb level_color[i] notitle, \
         for [i=1:level_label_count] data index i-1 using ($2*shift(i)):(100*$3) with linespoints linewidth 1.8 pointtype level_marker[i] pointsize 0.9 linecolor rgb level_color[i] notitle
    unset output
}
