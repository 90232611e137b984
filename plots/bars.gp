# One panel a workload, one bar a row, the same rows in every panel. Ratios are on a logarithmic axis and bars
# start at the base's 1; the metric itself is on a linear one that starts at 0.
figure_of(v) = v < 0.995 ? sprintf('%.2f', v) : v < 9.95 ? sprintf('%.2f', v) : v < 99.5 ? sprintf('%.1f', v) : sprintf('%.0f', v)
only(condition, x) = condition ? x : NaN
# A cell without a figure has no bar, whatever a comparison with NaN may say.
drawn(v) = v ne 'failed' && v ne 'not applicable' && v ne 'not planned'
shown(v) = drawn(v) && (absolute || v ne 'base')
value_text(v, x) = v eq 'base' && !absolute ? '1 (base)' : figure_of(x).(x > largest || x < smallest ? ' »' : v eq 'no difference' ? ' ≈' : '')
start = absolute ? 0 : 1
# Spreads the rounds over the bar's height, the same way each time.
jitter(round) = 0.28 * (2.0 * (0.618034 * round - floor(0.618034 * round)) - 1)
panel_left(p) = box_left + label_width + ((p - 1) % across) * (panel_width + panel_gap)
panel_top(p) = box_top + panel_head + ((p - 1) / across) * (panel_head + panel_foot + row_label_count * bar_height)

do for [format in formats] {
    eval picture_terminal(format)
    set output target.'.'.format
    eval common
    eval frame
    set multiplot
    do for [p=1:panel_label_count] {
        set lmargin at screen sx(panel_left(p))
        set rmargin at screen sx(panel_left(p) + panel_width)
        set tmargin at screen sy(panel_top(p))
        set bmargin at screen sy(panel_top(p) + row_label_count * bar_height)
        set yrange [row_label_count + 0.5 : 0.5]
        unset object
        set border 1 lc rgb muted
        set xtics nomirror out scale 0.5 font small textcolor rgb ink offset 0,0.4 autofreq
        set ytics 1 format '' scale 0
        set grid xtics ytics lt 1 lc rgb faint lw 0.5
        largest = absolute ? 1.0 * panel_high[p] / divisor : ratio_high
        smallest = absolute ? 0 : ratio_low
        if (absolute) { set xrange [0 : largest] }
        if (!absolute) {
            set logscale x 2
            set xrange [ratio_low : ratio_high]
            set xtics ('1/16' 1.0/16, '1/8' 1.0/8, '1/4' 0.25, '1/2' 0.5, '1' 1, '2' 2, '4' 4, '8' 8, '16' 16)
            if (ratio_low > 0.5 && ratio_high < 2) { set xtics ('0.6' 0.6, '0.7' 0.7, '0.8' 0.8, '0.9' 0.9, '1' 1, '1.1' 1.1, '1.25' 1.25, '1.5' 1.5, '1.75' 1.75) }
            if (noise_floor > 0) { set object 1 rectangle from first 1/(1+noise_floor), graph 0 to first 1+noise_floor, graph 1 behind fillcolor rgb '#d0d0d0' fillstyle solid 1.0 noborder }
        }
        set label 1000 panel_label[p] at screen sx(panel_left(p)), sy(panel_top(p) - 10) left font bold textcolor rgb ink
        set label 1001 unit at screen sx(panel_left(p) + panel_width), sy(panel_top(p) - 10) right font small textcolor rgb muted
        if ((p - 1) % across == 0) {
            do for [i=1:row_label_count] {
                eval row_name(i, panel_left(p) - 6, 'small')
            }
        }
        clip(v) = v > largest ? largest : v < smallest ? smallest : v
        # Fill styles are no expressions, so the bars' part of the command is put together as text.
        bars = ''
        do for [i=1:row_label_count] {
            bars = bars.sprintf("data index 2*(p-1) every ::%d::%d using (start):(shown(strcol(2)) ? $1 : NaN):(start):(clip($3/divisor)):($1-0.36):($1+0.36) with boxxyerror fillstyle %s border rgb %d fillcolor rgb %d, ", i-1, i-1, row_fill[i], row_color[i], row_color[i])
        }
        points_part = "data index 2*(p-1)+1 using (clip($2/divisor)):($1+jitter($3)) with points pointtype 7 pointsize 0.25 linecolor rgb '#a0000000', "
        whiskers = "data index 2*(p-1) using (clip($3/divisor)):(shown(strcol(2)) && $4 > 0 ? $1 : NaN):(clip($4/divisor)):(clip($5/divisor)) with xerrorbars pointtype 0 linewidth 1.2 linecolor rgb ink, "
        values = "data index 2*(p-1) using (largest):1:(drawn(strcol(2)) ? value_text(strcol(2), $3/divisor) : '') with labels left offset 0.6,0 font small textcolor rgb ink, "
        failed = "data index 2*(p-1) using (largest):1:(strcol(2) eq 'failed' ? 'failed' : '') with labels left offset 0.6,0 font small_bold textcolor rgb alarm, "
        cannot = "data index 2*(p-1) using (largest):1:(strcol(2) eq 'not applicable' ? 'n/a' : '') with labels left offset 0.6,0 font small textcolor rgb muted"
        eval 'plot '.bars.points_part.whiskers.values.failed.cannot
        unset label
    }
    unset multiplot
    unset output
}
