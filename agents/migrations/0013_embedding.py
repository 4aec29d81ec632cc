import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('agents', '0012_barred_data'),
        ('portal', '0004_pages'),
    ]

    operations = [
        migrations.CreateModel(
            name='ClauseVector',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64)),
                ('model', models.CharField(max_length=80)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.AddField(
            model_name='modelbackend',
            name='embedding_model',
            field=models.CharField(blank=True, db_default='', default='', max_length=80),
        ),
        migrations.AddIndex(
            model_name='modelcall',
            index=models.Index(condition=models.Q(('outcome', 'answered'), ('step', 'embed')), fields=['workspace', 'request_digest', 'model'], name='model_call_embedded'),
        ),
        migrations.AddField(
            model_name='clausevector',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='portal.workspace'),
        ),
        migrations.AddConstraint(
            model_name='clausevector',
            constraint=models.UniqueConstraint(fields=('workspace', 'model', 'digest'), name='clause_vector_once'),
        ),
    ]
