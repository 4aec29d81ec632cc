"""Policy pages with versions. What stood as clauses becomes the first version of one page for each section."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

SLUG = "coalesce(nullif(left(trim(both '-' from regexp_replace(lower(section), '[^a-z0-9]+', '-', 'g')), 60), ''), 'page')"
TURN = f"""
SELECT set_config('countersign.action', 'migration:pages', true);
INSERT INTO portal_page (workspace_id, slug, version, title, language, readers, effective_from, made_by)
    SELECT workspace_id, rtrim({SLUG}, '-'), 1, min(section), 'en', '["staff", "agents"]', now(), 'system:migration'
    FROM portal_clause GROUP BY workspace_id, rtrim({SLUG}, '-');
UPDATE portal_clause c SET page_id = p.id, search = to_tsvector('english', c.section || ' ' || c.text)
    FROM portal_page p WHERE p.workspace_id = c.workspace_id AND p.slug = rtrim({SLUG}, '-');
SELECT set_config('countersign.action', '', true);
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""  # nosec B608  # of constants


class Migration(migrations.Migration):

    dependencies = [
        ('portal', '0003_merging'),
    ]

    operations = [
        migrations.CreateModel(
            name='Page',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=60)),
                ('version', models.PositiveIntegerField(default=1)),
                ('title', models.CharField(max_length=120)),
                ('language', models.CharField(default='en', max_length=8)),
                ('readers', models.JSONField(default=list)),
                ('effective_from', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('effective_until', models.DateTimeField(blank=True, null=True)),
                ('made_by', models.CharField(blank=True, max_length=120)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.workspace')),
            ],
        ),
        migrations.AddConstraint(
            model_name='page',
            constraint=models.UniqueConstraint(fields=('workspace', 'slug', 'version'), name='page_version_once'),
        ),
        migrations.AddConstraint(
            model_name='page',
            constraint=models.UniqueConstraint(condition=models.Q(('effective_until', None)), fields=('workspace', 'slug'), name='page_open_once'),
        ),
        migrations.AddField(
            model_name='clause',
            name='page',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='clauses', to='portal.page'),
        ),
        migrations.AddField(
            model_name='clause',
            name='search',
            field=django.contrib.postgres.search.SearchVectorField(editable=False, null=True),
        ),
        migrations.RunSQL(TURN, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='clause',
            name='page',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='clauses', to='portal.page'),
        ),
        migrations.RemoveConstraint(
            model_name='clause',
            name='clause_id_once',
        ),
        migrations.AddConstraint(
            model_name='clause',
            constraint=models.UniqueConstraint(fields=('page', 'clause_id'), name='clause_once_a_page'),
        ),
        migrations.AddIndex(
            model_name='clause',
            index=models.Index(fields=['workspace', 'clause_id', 'version'], name='clause_by_id'),
        ),
        migrations.AddIndex(
            model_name='clause',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search'], name='clause_words'),
        ),
    ]
