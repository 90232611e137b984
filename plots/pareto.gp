# Time against memory on logarithmic axes, the base at (1, 1). Rows have their colour and marker; names stand at
# the points where there is room, and all of them in the legend.
only(condition, x) = condition ? x : NaN
panel_left(p) = box_left + axis_width + ((p - 1) % across) * (axis_width + panel_width)
panel_top(p) = box_top + panel_head + ((p - 1) / across) * (panel_head + panel_height + panel_foot)
legend_left = box_left + across * (axis_width + panel_width) + legend_gap

coarse_tics = "('1/64' 1.0/64, '1/32' 1.0/32, '1/16' 1.0/16, '1/8' 1.0/8, '1/4' 0.25, '1/2' 0.5, '0.7' 0.7, '1' 1, '1.4' 1.4, '2' 2, '4' 4, '8' 8, '16' 16, '32' 32, '64' 64)"
fine_tics = "('0.3' 0.3, '0.4' 0.4, '0.5' 0.5, '0.6' 0.6, '0.7' 0.7, '0.8' 0.8, '0.9' 0.9, '1' 1, '1.1' 1.1, '1.2' 1.2, '1.4' 1.4, '1.6' 1.6, '1.8' 1.8, '2' 2, '2.5' 2.5, '3' 3)"

do for [format in formats] {
    eval picture_terminal(format)
    set output target.'.'.format
    eval common
    eval frame
    do for [i=1:row_label_count] {
        set label 500+i row_label[i].(row_letter[i] eq '' ? '' : '  ('.row_letter[i].')') at screen sx(legend_left + 14), sy(box_top + panel_head + legend_line * (i - 0.5)) left font small textcolor rgb ink
        set label 800+i '' at screen sx(legend_left), sy(box_top + panel_head + legend_line * (i - 0.5)) point pointtype row_marker[i] pointsize 1.1 linewidth 1.5 linecolor rgb row_color[i]
    }
    set multiplot
    do for [p=1:panel_title_count] {
        set lmargin at screen sx(panel_left(p))
        set rmargin at screen sx(panel_left(p) + panel_width)
        set tmargin at screen sy(panel_top(p))
        set bmargin at screen sy(panel_top(p) + panel_height)
        set logscale xy 2
        set xrange [panel_x_low[p] : panel_x_high[p]]
        set yrange [panel_y_low[p] : panel_y_high[p]]
        set border 3 lc rgb muted
        set xtics nomirror out scale 0.5 font small textcolor rgb ink offset 0,0.3
        set ytics nomirror out scale 0.5 font small textcolor rgb ink offset 0.4,0
        eval 'set xtics '.(1.0 * panel_x_high[p] / panel_x_low[p] < 3 ? fine_tics : coarse_tics)
        eval 'set ytics '.(1.0 * panel_y_high[p] / panel_y_low[p] < 3 ? fine_tics : coarse_tics)
        set grid xtics ytics lc rgb faint lw 0.5
        set xlabel 'peak of memory held, ratio to base' font small textcolor rgb muted offset 0,0.6
        set ylabel 'time per operation, ratio to base' font small textcolor rgb muted offset 1.2,0
        set label 1000 panel_title[p] at screen sx(panel_left(p)), sy(panel_top(p) - 40) left font bold textcolor rgb ink
        set label 1001 panel_note_one[p] at screen sx(panel_left(p)), sy(panel_top(p) - 25) left font tiny textcolor rgb muted
        set label 1002 panel_note_two[p] at screen sx(panel_left(p)), sy(panel_top(p) - 13) left font tiny textcolor rgb muted
        do for [i=1:label_text_count] {
            if (label_panel[i] == p) {
                label_place = sprintf("set label %d label_text[%d] at screen sx(panel_left(p) + panel_width * log(1.0*label_x[%d]/panel_x_low[p]) / log(1.0*panel_x_high[p]/panel_x_low[p]) + label_dx[%d]), sy(panel_top(p) + panel_height * log(1.0*panel_y_high[p]/label_y[%d]) / log(1.0*panel_y_high[p]/panel_y_low[p]) + label_dy[%d]) %s font tiny textcolor rgb ink", 2000+i, i, i, i, i, i, word('left center right', int(label_align[i]) + 1))
                eval label_place
            }
        }
        plot data index 2*(p-1)+1 using 1:2 with lines linewidth 1.6 linecolor rgb '#9ecae1', \
             '' index 2*(p-1) using 2:3:9:10:11:12:(row_color[int($1)]) with xyerrorbars linecolor rgb variable pointtype 0 linewidth 0.8, \
             '' index 2*(p-1) using 2:3:(row_marker[int($1)]):(row_color[int($1)]) with points pointtype variable linecolor rgb variable pointsize 1.1 linewidth 1.5, \
             '' index 2*(p-1) using 2:3:($5 == 0 ? row_letter[int($1)] : '') with labels left offset 0.55,0.45 font font_face.':Bold,8' textcolor rgb ink
        unset label
    }
    unset multiplot
    unset output
}
