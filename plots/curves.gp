# Panels of curves: a row has its colour, marker and dash in each of them, and its name in the legend.
panel_left(p) = box_left + axis_width + ((p - 1) % across) * (axis_width + panel_width)
panel_top(p) = box_top + panel_head + ((p - 1) / across) * (panel_head + panel_height + panel_foot)
legend_left = box_left + across * (axis_width + panel_width) + legend_gap

do for [format in formats] {
    eval picture_terminal(format)
    set output target.'.'.format
    eval common
    eval frame
    do for [i=1:row_label_count] {
        y = box_top + panel_head + legend_line * (i - 0.5)
        eval sprintf("set arrow %d from screen sx(%d), sy(%d) to screen sx(%d), sy(%d) nohead linewidth 1.8 dashtype %s linecolor rgb %d", 500+i, legend_left, y, legend_left+26, y, row_dash[i], row_color[i])
        set label 500+i row_label[i] at screen sx(legend_left + 34), sy(y) left font small textcolor rgb ink
        set label 800+i '' at screen sx(legend_left + 13), sy(y) point pointtype row_marker[i] pointsize 0.8 linecolor rgb row_color[i]
    }
    set multiplot
    do for [p=1:panel_title_count] {
        set lmargin at screen sx(panel_left(p))
        set rmargin at screen sx(panel_left(p) + panel_width)
        set tmargin at screen sy(panel_top(p))
        set bmargin at screen sy(panel_top(p) + panel_height)
        unset logscale
        if (panel_log_x[p]) { set logscale x 10 }
        if (panel_log_y[p]) { set logscale y 10 }
        set xrange [panel_x_low[p] : panel_x_high[p]]
        set yrange [panel_y_low[p] : panel_y_high[p]]
        set border 3 lc rgb muted
        # Thousands and more are short as 10k; parts of one would be read as minutes: 0.01, not 10m.
        set format x (panel_log_x[p] && panel_x_high[p] > 9999 && panel_x_high[p] / panel_x_low[p] > 50 ? '%.0s%c' : '%g')
        set format y '%g'
        # Within less than a decade the powers of ten alone would say nothing.
        set xtics autofreq nomirror out scale 0.5 font small textcolor rgb ink offset 0,0.3
        set ytics autofreq nomirror out scale 0.5 font small textcolor rgb ink offset 0.4,0
        if (!panel_percentiles[p] && panel_log_x[p] && panel_x_high[p] / panel_x_low[p] <= 50) { set xtics (1,2,3,4,6,8,12,16,24,32,48,64,96,128) }
        if (!panel_percentiles[p] && panel_log_x[p] && panel_x_high[p] / panel_x_low[p] <= 50 && panel_x_high[p] > 130) { set xtics (10,20,50,100,200,500,1000,2000,5000,10000,20000,50000,100000,200000,500000,1000000) }
        if (!panel_percentiles[p] && panel_log_y[p] && panel_y_high[p] / panel_y_low[p] <= 50) { set ytics (0.1,0.2,0.5,1,2,3,4,5,7,10,15,20,30,40,50,70,100,150,200,300,500,700,1000,2000,5000,10000,20000,50000) }
        if (panel_percentiles[p]) { set xtics ('p50' 2, 'p90' 10, 'p99' 100, 'p99.9' 1e3, 'p99.99' 1e4, 'p99.999' 1e5, 'p99.9999' 1e6); set ytics ('1 ns' 1, '10 ns' 10, '20 ns' 20, '50 ns' 50, '100 ns' 100, '200 ns' 200, '500 ns' 500, '1 µs' 1e3, '2 µs' 2e3, '5 µs' 5e3, '10 µs' 1e4, '100 µs' 1e5, '1 ms' 1e6, '10 ms' 1e7, '100 ms' 1e8, '1 s' 1e9) }
        set grid xtics ytics lc rgb faint lw 0.5
        set xlabel panel_x_label[p] font small textcolor rgb muted offset 0,0.5
        set ylabel panel_y_label[p] font small textcolor rgb muted offset 1.2,0
        set label 1000 panel_title[p] at screen sx(panel_left(p)), sy(panel_top(p) - 14) left font bold textcolor rgb ink
        if (panel_steps[p]) {
            plot for [c=panel_first[p]:panel_last[p]] data index c-1 using 1:2 with steps linewidth 1.6 linecolor rgb row_color[curve_row[c]] notitle
        } else {
            command = 'plot '
            do for [c=panel_first[p]:panel_last[p]] {
                command = command.sprintf("data index %d using 1:2 with linespoints linewidth 1.8 dashtype %s pointtype %d pointsize 0.8 pointinterval %d linecolor rgb %d notitle, ", c-1, row_dash[curve_row[c]], row_marker[curve_row[c]], curve_every[c], row_color[curve_row[c]])
            }
            eval command[1:strlen(command)-2]
        }
        unset label
        unset arrow
    }
    unset multiplot
    unset output
}
