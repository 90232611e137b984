# A panel is a pair of arms, a band a workload, a line in it a back end.
panel_left(p) = box_left + axis_width + (p - 1) * (panel_width + panel_gap)
top = box_top + panel_head
bottom = top + band * workload_label_count
legend_left = box_left + axis_width + panel_title_count * (panel_width + panel_gap) + legend_gap
ratio_tics = "('1/4' 0.25, '1/3' 1.0/3, '1/2' 0.5, '0.6' 0.6, '0.7' 0.7, '0.8' 0.8, '0.9' 0.9, '1' 1, '1.1' 1.1, '1.2' 1.2, '1.4' 1.4, '1.7' 1.7, '2' 2, '3' 3, '4' 4, '8' 8)"

do for [format in formats] {
    eval picture_terminal(format)
    set output target.'.'.format
    eval common
    eval frame
    do for [i=1:legend_name_count] {
        y = top + legend_line * (i - 0.5)
        set label 500+i legend_name[i] at screen sx(legend_left + 14), sy(y) left font small textcolor rgb ink
        set label 800+i '' at screen sx(legend_left), sy(y) point pointtype row_marker[legend_row[i]] pointsize 1 linecolor rgb row_color[legend_row[i]]
    }
    do for [w=1:workload_label_count] {
        set label 1200+w workload_label[w] at screen sx(box_left + axis_width - 12), sy(top + band * (w - 0.5)) right font small textcolor rgb ink
    }
    set multiplot
    do for [p=1:panel_title_count] {
        set lmargin at screen sx(panel_left(p))
        set rmargin at screen sx(panel_left(p) + panel_width)
        set tmargin at screen sy(top)
        set bmargin at screen sy(bottom)
        set logscale x 2
        set xrange [x_low : x_high]
        set yrange [band * workload_label_count : 0]
        set border 1 lc rgb muted
        unset ytics
        eval 'set xtics '.ratio_tics
        set xtics nomirror out scale 0.5 font small textcolor rgb ink offset 0,0.3
        set grid xtics lc rgb faint lw 0.5
        set xlabel 'ratio of times' font small textcolor rgb muted offset 0,0.5
        set label 1000 panel_title[p] at screen sx(panel_left(p)), sy(top - 28) left font bold textcolor rgb ink
        set label 1001 panel_says[p] at screen sx(panel_left(p)), sy(top - 13) left font small textcolor rgb muted
        do for [w=1:workload_label_count-1] {
            set arrow w from graph 0, first band * w to graph 1, first band * w nohead linewidth 0.5 linecolor rgb faint
        }
        set arrow 999 from 1, graph 0 to 1, graph 1 nohead linewidth 1.2 linecolor rgb muted
        command = 'plot '
        do for [r=1:row_label_count] {
            command = command.sprintf("data index %d using ($5 == %d ? $1 : NaN):4:2:3 with xerrorbars linewidth 1.4 pointtype %d pointsize 0.9 linecolor rgb %d notitle, ", p-1, r, row_marker[r], row_color[r])
        }
        eval command[1:strlen(command)-2]
        unset label
        unset arrow
    }
    unset multiplot
    unset output
}
